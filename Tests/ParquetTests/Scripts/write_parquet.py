"""write_parquet.py FOLDER: write files with pyarrow, polars, duckdb and deltalake in every encoding,
codec and page version that they offer, and print what others read from them:
{file: {"encodings": [...], "codecs": [...], "columns": {name: [value, ...]}}}.

Values have the textual form of check_parquet.py.
"""
import datetime
import decimal
import json
import pathlib
import random
import sys

import deltalake
import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq

from check_parquet import text

ROWS = 700
UTC = datetime.timezone.utc
START = datetime.datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def optional(values, every):
    return [None if every and row % every == 0 else value for row, value in enumerate(values)]


def flat(every=3):
    """One column of each type; each `every`th value is null, 0 for none, 1 for all."""
    chance = random.Random(7)
    rows = range(ROWS)
    moments = [START + datetime.timedelta(microseconds=chance.randrange(10**12)) for _ in rows]
    columns = {
        "boolean": ([chance.random() < 0.3 for _ in rows], pa.bool_()),
        "int32": ([chance.randrange(-(2**31), 2**31) for _ in rows], pa.int32()),
        "int64": ([chance.randrange(-(2**63), 2**63) for _ in rows], pa.int64()),
        "offset": ([10**12 + row for row in rows], pa.int64()),
        "unsigned": ([chance.randrange(2**32) for _ in rows], pa.uint32()),
        "float": ([chance.uniform(-1, 1) for _ in rows], pa.float32()),
        "double": ([chance.uniform(-1e300, 1e300) for _ in rows], pa.float64()),
        "string": ([f"/Grüße/{chance.randrange(40)}" * (row % 4) for row in rows], pa.string()),
        "unique": ([f"prefix-{row // 9}-{chance.random()}" for row in rows], pa.string()),
        "binary": ([chance.randbytes(row % 50) for row in rows], pa.binary()),
        "fixed": ([chance.randbytes(5) for _ in rows], pa.binary(5)),
        "date": ([moment.date() for moment in moments], pa.date32()),
        "timestamp": (moments, pa.timestamp("us", "UTC")),
        "milliseconds": ([m.replace(microsecond=5000) for m in moments], pa.timestamp("ms")),
        "decimal": ([decimal.Decimal(row) / 100 for row in rows], pa.decimal128(8, 2)),
    }
    return pa.table({k: pa.array(optional(v, every), t) for k, (v, t) in columns.items()})


def nested():
    chance = random.Random(8)

    def some(value):
        return None if chance.random() < 0.25 else value()

    def texts():
        return [some(lambda: f"t{chance.randrange(9)}") for _ in range(chance.randrange(4))]

    def pairs():
        return [(f"k{key}", some(lambda: str(key))) for key in range(chance.randrange(4))]

    def action():
        return {"path": some(lambda: "p"), "size": some(lambda: 5), "values": some(pairs),
                "tags": some(lambda: [some(texts) for _ in range(chance.randrange(3))])}

    kind = pa.struct([("path", pa.string()), ("size", pa.int64()),
                      ("values", pa.map_(pa.string(), pa.string())),
                      ("tags", pa.list_(pa.list_(pa.string())))])
    rows = range(ROWS)
    return pa.table({
        "action": pa.array([some(action) for _ in rows], kind),
        "texts": pa.array([some(texts) for _ in rows], pa.list_(pa.string())),
        "pairs": pa.array([some(pairs) for _ in rows], pa.map_(pa.string(), pa.string())),
        "flags": pa.array([some(lambda: [True] * chance.randrange(3)) for _ in rows],
                          pa.list_(pa.bool_())),
    })


ENCODINGS = {
    "boolean": ["PLAIN", "RLE"],
    "int32": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    "int64": ["DELTA_BINARY_PACKED", "PLAIN", "BYTE_STREAM_SPLIT"],
    "offset": ["DELTA_BINARY_PACKED"],
    "timestamp": ["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    "float": ["PLAIN", "BYTE_STREAM_SPLIT"],
    "double": ["BYTE_STREAM_SPLIT", "PLAIN"],
    "string": ["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"],
    "unique": ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"],
    "binary": ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"],
    "fixed": ["DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT", "PLAIN"],
}


def write_pyarrow(folder):
    def write(name, table, **options):
        pq.write_table(table, folder / f"pyarrow-{name}.parquet", **options)

    for codec in ["none", "snappy", "gzip", "zstd"]:
        for page in ["1.0", "2.0"]:
            common = {"compression": codec, "data_page_version": page}
            write(f"dictionary-{codec}-{page}", flat(), write_page_checksum=True, **common)
            write(f"nested-{codec}-{page}", nested(), row_group_size=300, **common)
            for turn in range(3):
                chosen = {name: of[turn % len(of)] for name, of in ENCODINGS.items()}
                write(f"encodings{turn}-{codec}-{page}", flat(), use_dictionary=False,
                      column_encoding=chosen, data_page_size=500 * turn + 100, **common)
    for every in [0, 1, 2]:
        write(f"nulls{every}", flat(every), write_statistics=False)
    required = flat(0)
    schema = pa.schema([field.with_nullable(False) for field in required.schema])
    write("required", required.cast(schema), row_group_size=100)
    write("mixed", flat(), dictionary_pagesize_limit=200, data_page_size=100, write_batch_size=20)
    write("int96", flat(), use_deprecated_int96_timestamps=True)
    write("int96-plain", flat(), use_deprecated_int96_timestamps=True, use_dictionary=False)
    write("empty", flat().slice(0, 0))
    for codec in ["brotli", "lz4"]:
        write(f"unsupported-{codec}", flat(), compression=codec)


def write_polars(folder):
    frame = polars.from_arrow(flat())
    deep = polars.DataFrame({"l": [[["a", None], []], None, [], [["b"]]] * 50,
                             "s": [{"x": 1, "y": None}, None, {"x": None, "y": "z"}, None] * 50})
    for codec in ["uncompressed", "snappy", "gzip", "zstd"]:
        frame.write_parquet(folder / f"polars-{codec}.parquet", compression=codec,
                            data_page_size=2000, row_group_size=250)
        deep.write_parquet(folder / f"polars-nested-{codec}.parquet", compression=codec)


def write_duckdb(folder):
    events = flat()  # noqa: F841: duckdb finds it by its name
    for codec in ["uncompressed", "snappy", "gzip", "zstd"]:
        for version in ["V1", "V2"]:
            options = f"FORMAT parquet, CODEC '{codec}', PARQUET_VERSION {version}"
            file = f"{folder}/duckdb-{codec}-{version}.parquet"
            duckdb.sql(f"COPY (FROM events) TO '{file}' ({options})")
    duckdb.sql("COPY (SELECT CASE WHEN i % 3 > 0 THEN [i, NULL, i + 1] END l, MAP {'k': i} m, "
               f"{{'a': i, 'b': ['x', NULL]}} s FROM range(500) t(i)) TO "
               f"'{folder}/duckdb-nested.parquet' (FORMAT parquet)")


def write_deltalake(folder):
    table = flat().drop_columns(["unsigned", "milliseconds"])
    for turn in range(3):
        deltalake.write_deltalake(folder / "table", table.slice(turn * 200, 200), mode="append")
    deltalake.DeltaTable(folder / "table").create_checkpoint()
    for number, path in enumerate(sorted((folder / "table").rglob("*.parquet"))):
        kind = "checkpoint" if "checkpoint" in path.name else "data"
        path.rename(folder / f"deltalake-{kind}-{number}.parquet")


def described(path):
    file = pq.ParquetFile(path)
    chunks = [file.metadata.row_group(group).column(leaf)
              for group in range(file.metadata.num_row_groups)
              for leaf in range(file.metadata.num_columns)]
    return {"encodings": sorted({name for chunk in chunks for name in chunk.encodings}),
            "codecs": sorted({chunk.compression for chunk in chunks}),
            "columns": {name: values(column)
                        for name, column in zip(file.schema_arrow.names, table(path).columns)}}


def table(path):
    try:
        return pq.ParquetFile(path).read()
    except OSError:  # pyarrow refuses duckdb's deltas of 32-bit integers, which take 33 bits.
        return polars.read_parquet(path).to_arrow()


def values(column):
    kind = column.type
    if pa.types.is_decimal(kind):
        return [None if value is None else str(int(value.scaleb(kind.scale)))
                for value in column.to_pylist()]
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    if pa.types.is_temporal(kind):
        column = column.cast(pa.int32() if pa.types.is_date(kind) else pa.int64())
    return [text(value, column.type) for value in column.to_pylist()]


def main(folder):
    for write in [write_pyarrow, write_polars, write_duckdb, write_deltalake]:
        write(folder)
    json.dump({path.name: described(path) for path in folder.glob("*.parquet")}, sys.stdout)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
