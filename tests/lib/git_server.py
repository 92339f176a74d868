"""A Git server over HTTP or HTTPS for tests/integration/remote.t, with bad manners on demand.

    git_server.py FOLDER [CERTIFICATE KEY]     serves the repositories in FOLDER; prints its port

FOLDER/mode says, at each request, how it behaves:
    good         as `git http-backend` does
    hang         takes the request and is silent
    reset        resets the connection
    endless      an answer without end
    trickle      one byte a second
    chatter      progress messages without end in the place of a pack
    truncated    the pack is cut off in its middle
    lie          one byte of the pack is another
    other        a whole and valid pack without the commit that was promised
    redirect     to somewhere else
    gone         404
FOLDER/token, where it is: the password that is wanted, of any user.
"""
import base64
import http.server
import os
import socket
import ssl
import struct
import subprocess
import sys
import time

folder = sys.argv[1]


def read(name, fallback):
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return fallback


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def may(self):
        token = read("token", None)
        if token is None:
            return True
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        return kind == "Basic" and base64.b64decode(text).decode().partition(":")[2] == token

    def plain(self, status, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def backend(self, body):
        path, _, query = self.path.partition("?")
        environment = dict(os.environ, GIT_PROJECT_ROOT=folder, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query,
                           REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type", ""),
                           CONTENT_LENGTH=str(len(body)), GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory",
                           GIT_CONFIG_VALUE_0="*", REMOTE_USER="tester")
        out = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, check=False).stdout
        head, _, rest = out.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        return int(headers.pop("Status", "200").split()[0]), headers, rest

    def bad_manners(self, mode, is_pack):
        if mode == "hang":
            time.sleep(600)
        elif mode == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif mode == "endless":
            self.send_response(200)
            self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
            self.end_headers()
            self.wfile.write(b"001e# service=git-upload-pack\n0000")
            while True:
                self.wfile.write(b"003d0123456789012345678901234567890123456789 refs/heads/main\n" * 1000)
        elif mode == "trickle":
            while True:
                self.wfile.write(b"H")
                time.sleep(1)
        elif mode == "chatter" and is_pack:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-git-upload-pack-result")
            self.end_headers()
            self.wfile.write(b"0008NAK\n")
            while True:
                self.wfile.write((b"0105\x02" + b"x" * 255 + b"\n") * 100)
        elif mode == "redirect":
            self.plain(301, ("Location", "https://elsewhere.example.org" + self.path))
        elif mode == "gone":
            self.plain(404)
        else:
            return False
        return True

    def answer(self, body):
        if not self.may():
            self.plain(401, ("WWW-Authenticate", 'Basic realm="test"'))
            return
        mode = read("mode", "good")
        is_pack = self.command == "POST"
        if self.bad_manners(mode, is_pack):
            self.close_connection = True
            return
        status, headers, rest = self.backend(body)
        if is_pack and mode == "truncated":
            rest = rest[: len(rest) * 2 // 3]
        elif is_pack and mode == "lie":
            at = rest.rindex(b"PACK") + 60
            rest = rest[:at] + bytes([rest[at] ^ 1]) + rest[at + 1:]
        elif is_pack and mode == "other":
            pack = subprocess.run(["git", "-C", os.path.join(folder, "other.git"), "pack-objects", "--all", "--stdout", "-q"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout
            rest = b"0008NAK\n" + b"%04x\x01" % (len(pack) + 5) + pack + b"0000"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.answer(body)


server = Server(("127.0.0.1", int(read("port", "0"))), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
