"""Generates with a draft as any Python program would: `draft_client.py SOCKET STUBS VOCABULARY_HASH`. Prints what it got as JSON."""

import json
import queue
import sys

import grpc

socket, stubs, vocabulary_hash = sys.argv[1:]
sys.path.insert(0, stubs)

import skills_pb2  # noqa: E402
import skills_pb2_grpc  # noqa: E402

answer = {}
with grpc.insecure_channel(f"unix:{socket}") as channel:
    skill = skills_pb2_grpc.SkillServiceStub(channel)

    def opening(**changes):
        settings = {"vocabulary_hash": vocabulary_hash, "prompt": [1, 2, 3], "seed": 11, "top_k": 40, "top_p": 1, "run_ahead": 4}
        return skills_pb2.DraftRequest(open=skills_pb2.DraftOpen(**{**settings, **changes}))

    requests = queue.Queue()
    responses = skill.Draft(iter(requests.get, None), timeout=10)
    requests.put(opening())
    opened = next(responses).opened
    answer["opened"] = [opened.model, opened.vocabulary_hash, opened.vocabulary_size, opened.context_size]
    certain = [1, 2, 3]
    proposed = []

    def read(count):
        while len(proposed) < count:
            proposal = next(responses).proposal
            assert proposal.basis == len(certain) and proposal.position == len(certain) + len(proposed), proposal
            proposed.extend(proposal.tokens)

    read(4)
    answer["proposed"] = list(proposed)
    # The first two were right, the third was not.
    tokens = [proposed[0], proposed[1], (proposed[2] + 1) % 100]
    requests.put(skills_pb2.DraftRequest(commit=skills_pb2.DraftCommit(position=len(certain), tokens=tokens)))
    certain.extend(tokens)
    proposed.clear()
    read(4)
    answer["certain"] = certain
    answer["proposed_then"] = list(proposed)
    requests.put(None)
    answer["left"] = len(list(responses))
    answer["code"] = responses.code().name
    try:
        list(skill.Draft(iter([opening(vocabulary_hash="another")]), timeout=10))
    except grpc.RpcError as error:
        answer["refused"] = [error.code().name, error.details()]

print(json.dumps(answer))
