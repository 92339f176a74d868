# Asks the balancer without a pause, by new connections and by ones that are kept, until /tmp/stop is there; then says how many answers came,
# and what failed. Of each answer it remembers which server gave it.
import collections, http.client, os, sys, threading, time

host = sys.argv[1]
titles = set(sys.argv[2:])
answers = collections.Counter()
failures = []
begin = time.monotonic()

def ask(connection):
    connection.request("GET", "/")
    answer = connection.getresponse()
    text = answer.read().decode().strip()
    if answer.status != 200 or text.split(" from ")[0] not in titles:
        raise ValueError("%d %s" % (answer.status, text[:60]))
    answers[text] += 1

def stream(keep):
    connection = None
    while not os.path.exists("/tmp/stop"):
        try:
            connection = connection or http.client.HTTPConnection(host, 80, timeout=5)
            ask(connection)
        except (OSError, ValueError, http.client.HTTPException) as error:
            # A server may close a kept connection between two requests; a client then asks again, once, by a new one.
            stale = keep and isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError))
            if not stale or connection.used == 0:
                failures.append("%.3f s: %r" % (time.monotonic() - begin, error))
            connection.close()
            connection = None
            continue
        connection.used = 1
        if not keep:
            connection.close()
            connection = None
        time.sleep(0.005)

http.client.HTTPConnection.used = 0
threads = [threading.Thread(target=stream, args=(i % 2 == 0,)) for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("%d answers, %d failures" % (sum(answers.values()), len(failures)))
for failure in failures[:10]:
    print("failure at", failure)
for text, n in sorted(answers.items()):
    print(n, text)
