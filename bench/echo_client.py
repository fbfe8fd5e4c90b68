"""A stock grpcio client: echo_client.py SOCKET PROTO_DIR CALLS IN_FLIGHT; prints one JSON line."""
import json
import sys
import tempfile
import threading
import time

import grpc
from grpc_tools import protoc

socket, proto_dir, calls, in_flight = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
out = tempfile.mkdtemp()
protoc.main(["protoc", f"-I{proto_dir}", f"--python_out={out}", f"--grpc_python_out={out}", "skills.proto"])
sys.path.insert(0, out)
import skills_pb2  # noqa: E402
import skills_pb2_grpc  # noqa: E402

channel = grpc.insecure_channel(f"unix:{socket}")
stub = skills_pb2_grpc.SkillServiceStub(channel)
request = skills_pb2.InferRequest(prompt="hello")
for _ in range(min(500, calls)):
    stub.Infer(request)

latencies = []
for _ in range(calls):
    start = time.perf_counter()
    stub.Infer(request)
    latencies.append((time.perf_counter() - start) * 1e6)
latencies.sort()

done = threading.Semaphore(0)
window = threading.Semaphore(in_flight)


def finished(_):
    window.release()
    done.release()


start = time.perf_counter()
for _ in range(calls):
    window.acquire()
    stub.Infer.future(request).add_done_callback(finished)
for _ in range(calls):
    done.acquire()
rate = calls / (time.perf_counter() - start)
print(json.dumps({"p50_us": latencies[calls // 2], "p99_us": latencies[calls * 99 // 100], "rate": rate}))
