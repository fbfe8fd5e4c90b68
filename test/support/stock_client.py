"""Calls a skill as any Python program would: `stock_client.py SOCKET STUBS`. Prints what it got as JSON."""

import json
import sys

import grpc

socket, stubs = sys.argv[1:]
sys.path.insert(0, stubs)
# The stubs of the standard services are in a package that has the name of grpcio's own.
grpc.__path__.append(f"{stubs}/grpc")

from grpc.health.v1 import health_pb2, health_pb2_grpc  # noqa: E402
from grpc.reflection.v1 import reflection_pb2, reflection_pb2_grpc  # noqa: E402
import skills_pb2  # noqa: E402
import skills_pb2_grpc  # noqa: E402

answer = {}
with grpc.insecure_channel(f"unix:{socket}") as channel:
    skill = skills_pb2_grpc.SkillServiceStub(channel)
    health = health_pb2_grpc.HealthStub(channel)
    reflection = reflection_pb2_grpc.ServerReflectionStub(channel)

    call = skills_pb2.SqlCall(parameters=[skills_pb2.SqlValue(text="O'Neil")])
    response = skill.Infer(skills_pb2.InferRequest(prompt="SELECT 1 AS one, ? AS name", max_tokens=0, sql=call), timeout=10)
    answer["infer"] = json.loads(response.text)
    answer["model"] = response.model

    check = skill.Check(skills_pb2.HealthCheckRequest(), timeout=10)
    answer["check"] = skills_pb2.HealthCheckResponse.ServingStatus.Name(check.status)
    standard = health.Check(health_pb2.HealthCheckRequest(service="sarai.skills.SkillService"), timeout=10)
    answer["health"] = health_pb2.HealthCheckResponse.ServingStatus.Name(standard.status)
    try:
        health.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=10)
    except grpc.RpcError as error:
        answer["unknown_service"] = error.code().name
    watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=10)
    answer["watch"] = health_pb2.HealthCheckResponse.ServingStatus.Name(next(watch).status)
    watch.cancel()

    prompt = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT n FROM t"
    pieces = skill.InferStream(skills_pb2.InferRequest(prompt=prompt), timeout=10)
    answer["streamed"] = [row for piece in pieces for row in json.loads(piece.text or "[]")]
    try:
        skill.Infer(skills_pb2.InferRequest(prompt="CREATE TABLE t (a)"), timeout=10)
    except grpc.RpcError as error:
        answer["denied"] = [error.code().name, error.details()]

    listing = reflection_pb2.ServerReflectionRequest(list_services="")
    found = next(reflection.ServerReflectionInfo(iter([listing]), timeout=10))
    answer["services"] = sorted(service.name for service in found.list_services_response.service)
    answer["requests"] = skill.GetMetrics(skills_pb2.MetricsRequest(), timeout=10).requests_total

print(json.dumps(answer))
