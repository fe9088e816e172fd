# A proxy before a server of PostgreSQL that does TLS in its place, with records as long as they may be (16 KiB), as servers from
# version 17 on and several poolers write them: tls_records.py CERTIFICATE KEY SOCKET. Prints its port; ends when its input does.
import os, select, socket, ssl, sys, threading

RECORD = 16384
REQUEST = bytes.fromhex("0000000804d2162f")   # the client's question for TLS

def fill(server):
    data = server.recv(RECORD)
    while data and len(data) < RECORD and select.select([server], [], [], 0.002)[0]:
        more = server.recv(RECORD - len(data))
        if not more:
            break
        data += more
    return data

def pass_down(server, client):
    try:
        while data := fill(server):
            client.sendall(data)
    except OSError:
        pass
    client.close()

def serve(client, context, path):
    assert client.recv(len(REQUEST), socket.MSG_WAITALL) == REQUEST
    client.sendall(b"S")
    client = context.wrap_socket(client, server_side=True)
    server = socket.socket(socket.AF_UNIX)
    server.connect(path)
    threading.Thread(target=pass_down, args=(server, client), daemon=True).start()
    try:
        while data := client.recv(65536):
            server.sendall(data)
    except OSError:
        pass
    server.close()

def listen(certificate, key, path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, context, path), daemon=True).start()

threading.Thread(target=listen, args=sys.argv[1:], daemon=True).start()
sys.stdin.read()
os._exit(0)
