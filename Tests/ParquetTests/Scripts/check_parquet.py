"""check_parquet.py FOLDER: read FOLDER/*.parquet with pyarrow, polars and duckdb, compare with
FOLDER/expected.json, and print {file: [complaint, ...]}.

Values are compared in one textual form: integers, dates and timestamps (µs) in decimal, floating
point as the bits of a double, strings and bytes in hex, structs as objects, maps as lists of pairs.
"""
import json
import pathlib
import struct
import sys

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq


def text(value, kind):
    if value is None:
        return None
    if pa.types.is_boolean(kind):
        return "true" if value else "false"
    if pa.types.is_floating(kind):
        bits = struct.unpack("<Q", struct.pack("<d", value))[0]
        return "nan" if value != value else str(bits)
    if pa.types.is_integer(kind):
        return str(value)
    if pa.types.is_map(kind):
        return [{"key": text(k, kind.key_type), "value": text(v, kind.item_type)} for k, v in value]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [text(item, kind.value_type) for item in value]
    if pa.types.is_struct(kind):
        return {field.name: text(value[field.name], field.type) for field in kind}
    if isinstance(value, str):
        value = value.encode()
    return bytes(value).hex()


def integers(array):
    """Dates and timestamps as the numbers that are stored."""
    if pa.types.is_timestamp(array.type):
        assert array.type.unit == "us" and array.type.tz is not None, array.type
        return array.cast(pa.int64())
    return array.cast(pa.int32()) if pa.types.is_date(array.type) else array


def column_texts(table, name):
    found = []
    for chunk in table.column(name).chunks:
        chunk = integers(chunk)
        found += [text(value, chunk.type) for value in chunk.to_pylist()]
    return found


def pyarrow_table(path):
    return pq.ParquetFile(path, page_checksum_verification=True).read()


def polars_table(path):
    return polars.read_parquet(path).to_arrow()


def duckdb_table(path):
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'")
    result = connection.execute(f"SELECT * FROM read_parquet('{path}')")
    return result.to_arrow_table() if hasattr(result, "to_arrow_table") else result.arrow()


READERS = {"pyarrow": pyarrow_table, "polars": polars_table, "duckdb": duckdb_table}


def check_values(path, expected):
    for reader, read in READERS.items():
        try:
            table = read(path)
        except (Exception, polars.exceptions.PanicException) as error:
            yield f"{reader} cannot read it: {error}"
            continue
        for column in expected["columns"]:
            found = column_texts(table, column["name"])
            if found == column["values"]:
                continue
            if len(found) != len(column["values"]):
                yield f"{reader}, {column['name']}: {len(found)} rows"
                continue
            row = next(i for i, (a, b) in enumerate(zip(found, column["values"])) if a != b)
            yield (f"{reader}, {column['name']}, row {row}: {str(found[row])[:200]}, "
                   f"expected {str(column['values'][row])[:200]}")


def bound(value, kind):
    """A bound as it orders: strings as their bytes."""
    return value.encode() if isinstance(value, str) else value


def check_bounds(group, chunk, statistics, values):
    where = f"row group {group}, {chunk.path_in_schema}"
    present = [bound(v, None) for v in values if v is not None]
    if statistics is None or statistics.null_count != len(values) - len(present):
        yield f"{where}: the null count is {statistics and statistics.null_count}"
        return
    bounded = bool(present) and not any(v != v for v in present)
    if bounded and len(max(present, key=lambda v: len(v) if isinstance(v, bytes) else 0)
                       if isinstance(present[0], bytes) else b"") > 1000:
        return  # Long bounds may be left out.
    if statistics.has_min_max != bounded:
        yield f"{where}: bounds are {'there' if statistics.has_min_max else 'missing'}"
    elif bounded:
        found = (bound(statistics.min, None), bound(statistics.max, None))
        if found != (min(present), max(present)):
            yield f"{where}: bounds {found}, the values have {(min(present), max(present))}"


def check_footer(path, expected):
    file = pq.ParquetFile(path)
    metadata = file.metadata
    if not metadata.created_by.startswith("shopmetricsd version "):
        yield f"created by {metadata.created_by}"
    flat = {column["name"]: column for column in expected["columns"]}
    for group in range(metadata.num_row_groups):
        table = file.read_row_group(group)
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            column = flat.get(chunk.path_in_schema)
            if column is None or "." in chunk.path_in_schema:
                continue
            values = table.column(column["name"]).to_pylist()
            yield from check_bounds(group, chunk, chunk.statistics, values)
            missing = set(column["encodings"]) - set(chunk.encodings)
            if missing and group == 0 and any(v is not None for v in values):
                yield f"{chunk.path_in_schema}: no page is {missing}, but {chunk.encodings}"


def main(folder):
    verdicts = {}
    for expected in json.loads((folder / "expected.json").read_text()):
        path = str(folder / expected["file"])
        verdicts[expected["file"]] = [*check_values(path, expected), *check_footer(path, expected)]
    print(json.dumps(verdicts))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
