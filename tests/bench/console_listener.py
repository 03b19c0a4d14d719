"""Open streams of the console: who watches, in a process of its own. Says `open` when all are, and at the end what each has heard."""

import http.client
import json
import sys
import threading

host, cookie, *paths = sys.argv[1:]
heard = [0] * len(paths)
answers = []
for path in paths:
    connection = http.client.HTTPConnection(host)
    connection.request("GET", path, headers={"cookie": cookie})
    answers.append(connection.getresponse())


def listen(at: int) -> None:
    for line in answers[at]:
        heard[at] += len(line)


for at in range(len(paths)):
    threading.Thread(target=listen, args=(at,), daemon=True).start()
print("open", flush=True)
sys.stdin.read()
print(json.dumps(heard))
