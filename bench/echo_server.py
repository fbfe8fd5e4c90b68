"""A stock grpcio echo server on a unix socket, to compare with: echo_server.py SOCKET PROTO_DIR."""
import sys
import tempfile
from concurrent import futures

import grpc
from grpc_tools import protoc

socket, proto_dir = sys.argv[1:3]
out = tempfile.mkdtemp()
protoc.main(["protoc", f"-I{proto_dir}", f"--python_out={out}", f"--grpc_python_out={out}", "skills.proto"])
sys.path.insert(0, out)
import skills_pb2  # noqa: E402
import skills_pb2_grpc  # noqa: E402


class Echo(skills_pb2_grpc.SkillServiceServicer):
    def Infer(self, request, context):
        return skills_pb2.InferResponse(text=request.prompt)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
skills_pb2_grpc.add_SkillServiceServicer_to_server(Echo(), server)
server.add_insecure_port(f"unix:{socket}")
server.start()
print("ready", flush=True)
server.wait_for_termination()
