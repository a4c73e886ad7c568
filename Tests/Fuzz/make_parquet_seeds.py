"""make_parquet_seeds.py FOLDER: write the small Parquet files that fuzzing starts from.

Few rows, so that a mutation hits something; no page checksums but in one file, since a checksum
turns every other mutation into the same error.
"""
import datetime
import pathlib
import sys

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 40
MOMENT = datetime.datetime(2026, 1, 31, tzinfo=datetime.timezone.utc)


def main(folder):
    def write(name, columns, **options):
        options = {"compression": "none", "store_schema": False, **options}
        pq.write_table(pa.table(columns), folder / f"pyarrow-{name}.parquet", **options)

    numbers = pa.array([None if row % 5 == 0 else row * row for row in range(ROWS)], pa.int64())
    texts = pa.array([None if row % 7 == 0 else f"text-{row // 3}" for row in range(ROWS)])
    moments = pa.array([MOMENT + datetime.timedelta(seconds=row) for row in range(ROWS)])
    flags = pa.array([row % 3 == 0 for row in range(ROWS)])
    lists = pa.array([None, [], ["a", None], ["b"] * 3] * 10, pa.list_(pa.string()))
    maps = pa.array([None, [], [("k", "v"), ("l", None)]] * 9, pa.map_(pa.string(), pa.string()))
    fixed = pa.array([bytes([row] * 5) for row in range(ROWS)], pa.binary(5))
    floats = pa.array([row / 3 for row in range(ROWS)], pa.float32())

    write("dictionary", {"n": numbers, "t": texts})
    write("plain", {"n": numbers, "t": texts, "b": flags}, use_dictionary=False)
    write("checksum", {"t": texts}, write_page_checksum=True, compression="snappy")
    write("v2", {"n": numbers, "t": texts, "b": flags}, data_page_version="2.0",
          compression="zstd")
    for encoding, columns in {
        "DELTA_BINARY_PACKED": {"n": numbers, "i": numbers.cast(pa.int32())},
        "DELTA_LENGTH_BYTE_ARRAY": {"t": texts},
        "DELTA_BYTE_ARRAY": {"t": texts, "f": fixed},
        "BYTE_STREAM_SPLIT": {"n": numbers, "f": fixed, "x": floats},
        "RLE": {"b": flags},
    }.items():
        write(encoding.lower(), columns, use_dictionary=False, column_encoding=encoding)
    write("int96", {"m": moments}, use_deprecated_int96_timestamps=True)
    write("mixed", {"t": texts}, dictionary_pagesize_limit=20, data_page_size=20,
          write_batch_size=4)
    write("lists", {"l": lists}, data_page_version="2.0")
    write("maps", {"m": maps}, compression="gzip", row_group_size=10)
    polars.DataFrame({"n": [1, None, 3], "s": [{"x": "a"}, None, {"x": None}]}).write_parquet(
        folder / "polars.parquet", compression="snappy")
    duckdb.sql(f"COPY (SELECT i, 't' || i t FROM range(20) r(i)) TO '{folder}/duckdb.parquet' "
               "(FORMAT parquet, CODEC 'zstd', PARQUET_VERSION V2)")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
