"""A Kafka broker that serves whatever bytes a test wants, good or damaged.

One node, one topic, and the requests of the Kafka protocol that a consumer with assigned
partitions needs: ApiVersions, Metadata, ListOffsets, Fetch and those of a SASL login. Record sets
come from kafka_records.py, byte by byte, so that every damage of a log segment or of a connection
can be had on purpose.

    from hostile_broker import HostileBroker
    from kafka_records import batch
    with HostileBroker("clicks", {0: [batch(0, [b"one", b"two"])]}) as broker:
        ... broker.bootstrap ...

As a program it serves a named case of hostile_cases.py, or each on a port of its own ("all"),
until standard input ends:

    python hostile_broker.py CASE [--topic NAME] [--port-file FILE] [--json]
"""

import argparse
import json
import socket
import socketserver
import struct
import sys
import threading
import time

from kafka_records import lenbytes, string

API_VERSIONS, METADATA, LIST_OFFSETS, FETCH = 18, 3, 2, 1
SASL_HANDSHAKE, SASL_AUTHENTICATE = 17, 36
UNSUPPORTED_MECHANISM, AUTHENTICATION_FAILED = 33, 58
# Clients look for Produce 3 before they believe in record batches of version 2; it is not served.
SUPPORTED = {
    0: (3, 7), FETCH: (4, 11), LIST_OFFSETS: (1, 2), METADATA: (0, 4), API_VERSIONS: (0, 2)}
SASL = {SASL_HANDSHAKE: (0, 1), SASL_AUTHENTICATE: (0, 1)}
LONGEST_REQUEST = 100 << 20  # a greater length is another protocol's greeting, as a broker sees it


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, code):
        (value,) = struct.unpack_from(">" + code, self.data, self.at)
        self.at += struct.calcsize(">" + code)
        return value

    def string(self):
        size = self.number("h")
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size : self.at].decode()


class HostileBroker:
    """Serves `partitions`, a dictionary of partition -> list of Batch, on a loopback port.

    Everything may be changed while it runs. What can go wrong:

    log_start, end, last_stable   {partition: offset}, where not as the batches say
    aborted            {partition: [(producer, first offset)]}; None: the list is null
    verbatim           {partition: bytes or function of the fetch offset}: served as they are
    whole_log          each fetch returns all batches from the first on, not from the offset on
    errors             {request: [code, ...]}: the next answers; "always" for all of them
    partition_errors   {partition: code} in Metadata
    delay              {request: seconds} before each answer
    bytes_per_second   of each connection
    cut_after          close the connection after so many bytes of each Fetch answer
    answer             {request: bytes}: sent instead of an answer, length and all
    silent             requests that get no answer at all
    reset              requests that are answered in half, then the connection is reset (RST)
    throttle           milliseconds by which each answer says that the client is held back
    address            (host, port) that Metadata names instead of this one
    tls                an ssl.SSLContext; what is not its protocol gets an alert and no answer
    sasl               {mechanism: check(bytes of the client) -> refusal or None}; None: no login
    before             function(request), called before each answer
    """

    def __init__(self, topic, partitions, *, cluster_id="hostile", leader=0, **faults):
        self.topic, self.partitions = topic, partitions
        self.cluster_id, self.leader = cluster_id, leader
        self.log_start, self.end, self.last_stable = {}, {}, {}
        self.aborted, self.verbatim, self.whole_log = {}, {}, False
        self.errors, self.partition_errors, self.delay = {}, {}, {}
        self.bytes_per_second, self.cut_after = None, None
        self.answer, self.silent, self.reset = {}, (), ()
        self.throttle, self.address, self.tls, self.sasl = 0, None, None, None
        self.before = lambda api: None
        self.requests = []  # (api, details) of all that came
        for name, value in faults.items():
            if not hasattr(self, name):
                raise TypeError(f"no such fault: {name}")
            setattr(self, name, value)
        self._lock = threading.Lock()
        self._open = set()
        self._server = None

    # -- life

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, port=0):
        broker = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                broker._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self):
        """Stops listening and cuts every connection; `start(port)` continues."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    # -- offsets

    def start_of(self, partition):
        batches = self.partitions[partition]
        return self.log_start.get(partition, batches[0].base if batches else 0)

    def end_of(self, partition):
        batches = self.partitions[partition]
        default = max((b.end for b in batches), default=self.start_of(partition))
        return self.end.get(partition, default)

    def stable_end_of(self, partition):
        return self.last_stable.get(partition, self.end_of(partition))

    # -- connections

    def _serve(self, connection):
        original = connection
        with self._lock:
            self._open.add(original)
        try:
            if self.tls:
                connection.settimeout(10)
                connection = self.tls.wrap_socket(connection, server_side=True)
            login = Login(self.sasl)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (size := self._receive(connection, 4)) is not None:
                length = struct.unpack(">i", size)[0]
                if not 0 < length <= LONGEST_REQUEST:
                    return
                request = self._receive(connection, length)
                if request is None or not self._reply(connection, request, login):
                    return
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(original)

    @staticmethod
    def _receive(connection, size):
        data = b""
        while len(data) < size:
            piece = connection.recv(size - len(data))
            if not piece:
                return None
            data += piece
        return data

    def _reply(self, connection, request, login):
        reader = Reader(request)
        api, version, correlation = reader.number("h"), reader.number("h"), reader.number("i")
        reader.string()
        if api not in self._supported() or api == 0 or not login.permits(api):
            return False
        self.before(api)
        if api in self.silent:
            return True
        if self.delay.get(api):
            time.sleep(self.delay[api])
        if api in self.answer:
            connection.sendall(self.answer[api])
            return True
        handler = {
            API_VERSIONS: self._api_versions, METADATA: self._metadata,
            LIST_OFFSETS: self._list_offsets, FETCH: self._fetch,
            SASL_HANDSHAKE: login.handshake, SASL_AUTHENTICATE: login.authenticate,
        }[api]
        body = struct.pack(">i", correlation) + handler(reader, version)
        return self._send(connection, struct.pack(">i", len(body)) + body, api)

    def _send(self, connection, data, api):
        if api == FETCH and self.cut_after is not None:
            connection.sendall(data[: self.cut_after])
            connection.shutdown(socket.SHUT_RDWR)
            return False
        if api in self.reset:
            connection.sendall(data[: len(data) // 2])
            # Closing with unsent data forbidden to linger is what sends RST.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            return False
        if not self.bytes_per_second:
            connection.sendall(data)
            return True
        step = max(1, self.bytes_per_second // 20)
        for at in range(0, len(data), step):
            connection.sendall(data[at : at + step])
            time.sleep(0.05)
        return True

    def _error(self, api):
        errors = self.errors.get(api, [])
        if errors == "always" or not errors:
            return 0
        if errors[0] == "always":
            return errors[1]
        return errors.pop(0)

    # -- answers

    def _supported(self):
        return SUPPORTED if self.sasl is None else {**SUPPORTED, **SASL}

    def _api_versions(self, _, version):
        # A newer version than ours is answered in version 0, with "unsupported version".
        error = 35 if version > SUPPORTED[API_VERSIONS][1] else 0
        supported = self._supported()
        out = struct.pack(">hi", error, len(supported))
        for api, (low, high) in supported.items():
            out += struct.pack(">hhh", api, low, high)
        return out + (struct.pack(">i", 0) if version in (1, 2) else b"")

    def _metadata(self, reader, version):
        count = reader.number("i")
        names = [reader.string() for _ in range(max(0, count))]
        if count < 0 or (version == 0 and count == 0):
            names = [self.topic]
        self.requests.append((METADATA, names))
        error = self._error(METADATA)
        host, port = self.address or ("127.0.0.1", self.port)
        out = struct.pack(">i", self.throttle) if version >= 3 else b""
        out += struct.pack(">ii", 1, self.leader) + string(host)
        out += struct.pack(">i", port) + (string(None) if version >= 1 else b"")
        out += string(self.cluster_id) if version >= 2 else b""
        out += struct.pack(">i", self.leader) if version >= 1 else b""
        out += struct.pack(">i", len(names))
        for name in names:
            code = error or (0 if name == self.topic else 3)
            out += struct.pack(">h", code) + string(name) + (b"\0" if version >= 1 else b"")
            known = sorted(self.partitions) if code == 0 else []
            out += struct.pack(">i", len(known))
            for partition in known:
                code = self.partition_errors.get(partition, 0)
                leader = -1 if code == 5 else self.leader
                out += struct.pack(
                    ">hiiiiii", code, partition, leader, 1, self.leader, 1, self.leader)
        return out

    def _list_offsets(self, reader, version):
        reader.number("i")
        committed = version >= 2 and reader.number("b") == 1
        out = struct.pack(">i", self.throttle) if version >= 2 else b""
        topics = reader.number("i")
        out += struct.pack(">i", topics)
        for _ in range(topics):
            out += string(reader.string())
            count = reader.number("i")
            out += struct.pack(">i", count)
            for _ in range(count):
                partition, wanted = reader.number("i"), reader.number("q")
                self.requests.append((LIST_OFFSETS, (partition, wanted)))
                error = self._error(LIST_OFFSETS)
                if partition not in self.partitions:
                    error = error or 3
                offset = -1 if error else self._offset_at(partition, wanted, committed)
                out += struct.pack(">ihqq", partition, error, -1, offset)
        return out

    def _offset_at(self, partition, wanted, committed):
        if wanted == -2:
            return self.start_of(partition)
        if wanted == -1:
            return self.stable_end_of(partition) if committed else self.end_of(partition)
        return next((b.base for b in self.partitions[partition] if b.newest >= wanted), -1)

    def _fetch(self, reader, version):
        reader.number("i")
        wait = reader.number("i") / 1000
        for code in "iib":
            reader.number(code)
        if version >= 7:
            reader.number("i"), reader.number("i")
        parts, found = b"", False
        topics = reader.number("i")
        for _ in range(topics):
            parts += string(reader.string())
            count = reader.number("i")
            parts += struct.pack(">i", count)
            for _ in range(count):
                partition = reader.number("i")
                if version >= 9:
                    reader.number("i")
                offset = reader.number("q")
                if version >= 5:
                    reader.number("q")
                limit = reader.number("i")
                answer, worth = self._partition(partition, offset, limit, version)
                parts, found = parts + answer, found or worth
        if not found:
            time.sleep(min(wait, 0.05))
        head = struct.pack(">i", self.throttle)
        head += struct.pack(">hi", 0, 0) if version >= 7 else b""
        return head + struct.pack(">i", topics) + parts

    def _partition(self, partition, offset, limit, version):
        self.requests.append((FETCH, (partition, offset)))
        error = self._error(FETCH)
        if not error and partition not in self.partitions:
            error = 3
        if not error and not self.start_of(partition) <= offset <= self.end_of(partition):
            error = 1
        known = partition in self.partitions
        out = struct.pack(
            ">ihqq", partition, error, self.end_of(partition) if known else -1,
            self.stable_end_of(partition) if known else -1)
        if version >= 5:
            out += struct.pack(">q", self.start_of(partition) if known else -1)
        aborted = None if self.aborted is None else self.aborted.get(partition, [])
        out += struct.pack(">i", -1 if aborted is None else len(aborted))
        for producer, first in aborted or []:
            out += struct.pack(">qq", producer, first)
        if version >= 11:
            out += struct.pack(">i", -1)
        records = b"" if error else self._records(partition, offset, limit)
        return out + lenbytes(records), bool(records) or error != 0

    def _records(self, partition, offset, limit):
        verbatim = self.verbatim.get(partition)
        if verbatim is not None:
            return verbatim(offset) if callable(verbatim) else verbatim
        out = b""
        for piece in self.partitions[partition]:
            if piece.base >= self.stable_end_of(partition):
                break
            if piece.end <= offset and not self.whole_log:
                continue
            if out and len(out) + len(piece.data) > limit:
                break
            out += piece.data
        return out


class Login:
    """What one connection has proved of who it is."""

    def __init__(self, checks):
        self.checks, self.mechanism, self.done = checks, None, checks is None

    def permits(self, api):
        return self.done or api in (API_VERSIONS, *SASL)

    def handshake(self, reader, _):
        wanted = reader.string()
        self.mechanism = wanted if wanted in self.checks else None
        out = struct.pack(">hi", 0 if self.mechanism else UNSUPPORTED_MECHANISM, len(self.checks))
        return out + b"".join(string(name) for name in self.checks)

    def authenticate(self, reader, version):
        proof = reader.data[reader.at + 4 :]
        refusal = self.checks[self.mechanism](proof) if self.mechanism else "no handshake"
        self.done = refusal is None
        out = struct.pack(">h", 0 if self.done else AUTHENTICATION_FAILED) + string(refusal)
        return out + lenbytes(b"") + (struct.pack(">q", 0) if version >= 1 else b"")


def plain_login(user, password):
    """The check of the mechanism PLAIN (RFC 4616) for one user."""
    expected = b"\0" + user.encode() + b"\0" + password.encode()
    return lambda proof: None if proof == expected else "Invalid username or password"


def main(words):
    import hostile_cases

    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=["all", *sorted(hostile_cases.CASES)])
    parser.add_argument("--topic", default="clickstream-events")
    parser.add_argument("--port-file")
    parser.add_argument("--json", action="store_true", help="print what the cases expect")
    options = parser.parse_args(words)
    names = hostile_cases.CASES if options.case == "all" else [options.case]
    brokers = [(n, hostile_cases.CASES[n].broker(options.topic).start()) for n in names]
    if options.port_file:
        with open(options.port_file, "w", encoding="utf-8") as file:
            file.writelines(broker.bootstrap + "\n" for _, broker in brokers)
    for name, broker in brokers:
        case = hostile_cases.CASES[name]
        if not options.json:
            print(f"bootstrap={broker.bootstrap}", flush=True)
            continue
        print(json.dumps({
            "name": name, "bootstrap": broker.bootstrap, "outcome": case.outcome,
            "offsets": case.offsets, "start": case.start}))
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    # hostile_cases imports this file by its name: let both be one module.
    sys.modules["hostile_broker"] = sys.modules["__main__"]
    main(sys.argv[1:])
