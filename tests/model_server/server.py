"""A local model provider for tests.

Every request body is validated with the official SDKs' own request types; every reply is built from their response
types and, when streamed, cut at random byte boundaries. What the server does is chosen by the first part of the path:

    /SCENARIO/anthropic/v1/messages
    /SCENARIO/openai/v1/chat/completions
    /SCENARIO/ollama/api/chat and /SCENARIO/ollama/api/generate

`GET /SCENARIO` gives the requests that this scenario has received. The key it wants is in MODEL_SERVER_KEY; the first
line on standard output is `PORT n SEED s`.
"""

import json
import os
import random
import socket
import sys
import threading
import time
import types as python_types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic.types
import ollama
import openai.types.chat
import pydantic
import typing_extensions
from anthropic.types import message_create_params
from openai.types.chat import completion_create_params

KEY = os.environ["MODEL_SERVER_KEY"]
SEED = random.randrange(2**32)


# --- Judging requests -------------------------------------------------------------------------------------------------


def close_typed_dicts(prefix):
    """Makes every TypedDict of an SDK refuse keys it does not know."""
    for name, module in list(sys.modules.items()):
        if name.startswith(prefix) and isinstance(module, python_types.ModuleType):
            for value in list(vars(module).values()):
                if typing_extensions.is_typeddict(value):
                    value.__pydantic_config__ = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True)


close_typed_dicts("anthropic.types")
close_typed_dicts("openai.types")

JUDGES = {
    ("anthropic", True): pydantic.TypeAdapter(message_create_params.MessageCreateParamsStreaming),
    ("anthropic", False): pydantic.TypeAdapter(message_create_params.MessageCreateParamsNonStreaming),
    ("openai", True): pydantic.TypeAdapter(completion_create_params.CompletionCreateParamsStreaming),
    ("openai", False): pydantic.TypeAdapter(completion_create_params.CompletionCreateParamsNonStreaming),
}


def exhaust(value):
    """Pydantic validates an Iterable only as it is consumed: consume everything."""
    if isinstance(value, dict):
        for one in value.values():
            exhaust(one)
    elif isinstance(value, pydantic.BaseModel):
        # Some request types also admit response models, which take any key.
        raise ValueError(f"only a response model fits: {value!r}")
    elif isinstance(value, (str, bytes, int, float, bool, type(None))):
        pass
    else:
        try:
            members = iter(value)
        except TypeError:
            return
        for one in members:
            exhaust(one)


def judge(dialect, endpoint, body):
    if dialect == "ollama":
        kind = ollama._types.GenerateRequest if endpoint.endswith("generate") else ollama._types.ChatRequest
        unknown = set(body) - set(kind.model_fields)
        if unknown:
            raise ValueError(f"unknown fields {sorted(unknown)}")
        kind.model_validate(body)
        options = set(body.get("options", {})) - set(ollama.Options.model_fields)
        if options - {"min_p"}:
            raise ValueError(f"unknown options {sorted(options)}")
    else:
        if dialect == "anthropic":
            # The SDK has dropped the sampling parameters; the API still takes them for models before Claude 4.7.
            body = {key: value for key, value in body.items() if key not in ("temperature", "top_p", "top_k")}
        exhaust(JUDGES[dialect, bool(body.get("stream"))].validate_python(body))


# --- Building replies -------------------------------------------------------------------------------------------------

TEXT = "Grüße — 你好 🌍, all of it."

PLAIN = {"text": TEXT}
REPLIES = {
    "plain": PLAIN,
    "nonstream": PLAIN,
    "nodone": PLAIN,
    "tools": {
        "text": "Let me look.",
        "calls": [
            ("call_a", "get_weather", '{"city": "Zürich", "days": 3}'),
            ("call_b", "get_time", "{}"),
        ],
    },
    "badargs": {"text": "", "calls": [("call_a", "get_weather", '{"city": "Zü')]},
    "thinking": {"thinking": "Two and two…", "text": "4"},
    "json": {"text": '{"city": "Bern", "population": 134000}', "json": {"city": "Bern", "population": 134000}},
    "empty": {"text": ""},
    "cached": {"text": "hit", "cached": 90},
}


def reply_for(scenario):
    return REPLIES.get(scenario.split("-")[0], PLAIN)


def anthropic_blocks(reply, body):
    names = [tool["name"] for tool in body.get("tools", [])]
    blocks = []
    if "thinking" in reply:
        blocks.append(anthropic.types.ThinkingBlock(type="thinking", thinking=reply["thinking"], signature="c2ln"))
    if "json" in reply and "json_response" in names:
        blocks.append(
            anthropic.types.ToolUseBlock(type="tool_use", id="toolu_1", name="json_response", input=reply["json"])
        )
        return blocks
    if reply["text"]:
        blocks.append(anthropic.types.TextBlock(type="text", text=reply["text"]))
    for identity, name, arguments in reply.get("calls", []):
        try:
            given = json.loads(arguments)
        except ValueError:
            # Only a stream can carry arguments that are not JSON: the text goes into its deltas.
            given = arguments
        block = anthropic.types.ToolUseBlock(type="tool_use", id=identity, name=name, input={})
        block.input = given
        blocks.append(block)
    return blocks


def anthropic_message(reply, body):
    blocks = anthropic_blocks(reply, body)
    used = any(block.type == "tool_use" for block in blocks)
    usage = anthropic.types.Usage(
        input_tokens=12, output_tokens=7, cache_read_input_tokens=reply.get("cached", 0), cache_creation_input_tokens=0
    )
    return anthropic.types.Message(
        id="msg_1",
        type="message",
        role="assistant",
        model=body["model"],
        content=blocks,
        stop_reason="tool_use" if used else "end_turn",
        stop_sequence=None,
        usage=usage,
    )


def anthropic_stream(reply, body):
    """The events of a streamed message, as (name, json) pairs."""
    t = anthropic.types
    message = anthropic_message(reply, body)
    stop_reason, blocks = message.stop_reason, message.content
    message.content, message.stop_reason = [], None
    message.usage.output_tokens = 1
    yield t.RawMessageStartEvent(type="message_start", message=message)
    for index, block in enumerate(blocks):
        if block.type == "text":
            empty = t.TextBlock(type="text", text="")
            deltas = [t.TextDelta(type="text_delta", text=piece) for piece in pieces(block.text)]
        elif block.type == "thinking":
            empty = t.ThinkingBlock(type="thinking", thinking="", signature="")
            deltas = [t.ThinkingDelta(type="thinking_delta", thinking=piece) for piece in pieces(block.thinking)]
            deltas.append(t.SignatureDelta(type="signature_delta", signature=block.signature))
        else:
            empty = t.ToolUseBlock(type="tool_use", id=block.id, name=block.name, input={})
            raw = block.input if isinstance(block.input, str) else json.dumps(block.input, ensure_ascii=False)
            deltas = [t.InputJSONDelta(type="input_json_delta", partial_json=piece) for piece in ["", *pieces(raw)]]
        yield t.RawContentBlockStartEvent(type="content_block_start", index=index, content_block=empty)
        for delta in deltas:
            yield t.RawContentBlockDeltaEvent(type="content_block_delta", index=index, delta=delta)
        yield t.RawContentBlockStopEvent(type="content_block_stop", index=index)
    yield t.RawMessageDeltaEvent.model_validate(
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason, "stop_sequence": None},
            "usage": {"output_tokens": 7},
        }
    )
    yield t.RawMessageStopEvent(type="message_stop")


def openai_usage(reply):
    return {
        "prompt_tokens": 12,
        "completion_tokens": 7,
        "total_tokens": 19,
        "prompt_tokens_details": {"cached_tokens": reply.get("cached", 0)},
    }


def openai_calls(reply):
    return [
        {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}
        for identity, name, arguments in reply.get("calls", [])
    ]


def openai_completion(reply, body):
    calls = openai_calls(reply)
    message = {"role": "assistant", "content": reply["text"], "tool_calls": calls or None}
    if "thinking" in reply:
        message["reasoning_content"] = reply["thinking"]
    return openai.types.chat.ChatCompletion.model_validate(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "finish_reason": "tool_calls" if calls else "stop",
                    "logprobs": None,
                }
            ],
            "usage": openai_usage(reply),
        }
    )


def openai_stream(reply, body):
    def chunk(delta, finish=None, usage=None, choices=True):
        return openai.types.chat.ChatCompletionChunk.model_validate(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}] if choices else [],
                "usage": usage,
            }
        )

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces(reply.get("thinking", "")):
        yield chunk({"reasoning_content": piece})
    for piece in pieces(reply["text"]):
        yield chunk({"content": piece})
    calls = openai_calls(reply)
    for index, call in enumerate(calls):
        yield chunk(
            {"tool_calls": [{"index": index, **call, "function": {"name": call["function"]["name"], "arguments": ""}}]}
        )
    # The arguments of parallel calls arrive interleaved.
    queues = [list(pieces(call["function"]["arguments"])) for call in calls]
    while any(queues):
        for index, queue in enumerate(queues):
            if queue:
                yield chunk({"tool_calls": [{"index": index, "function": {"arguments": queue.pop(0)}}]})
    yield chunk({}, finish="tool_calls" if calls else "stop")
    if body.get("stream_options", {}).get("include_usage"):
        yield chunk({}, usage=openai_usage(reply), choices=False)


def ollama_stream(reply, body, endpoint):
    def frame(**fields):
        common = {"model": body["model"], "created_at": "2026-01-01T00:00:00Z", "done": False, **fields}
        if endpoint.endswith("generate"):
            message = common.pop("message")
            return ollama.GenerateResponse.model_validate({**common, "response": message["content"]})
        return ollama.ChatResponse.model_validate(common)

    for piece in pieces(reply.get("thinking", "")):
        yield frame(message={"role": "assistant", "content": "", "thinking": piece})
    for piece in pieces(reply["text"]):
        yield frame(message={"role": "assistant", "content": piece})
    calls = [
        {"function": {"name": name, "arguments": json.loads(arguments)}}
        for _, name, arguments in reply.get("calls", [])
    ]
    if calls:
        yield frame(message={"role": "assistant", "content": "", "tool_calls": calls})
    yield frame(
        message={"role": "assistant", "content": ""},
        done=True,
        done_reason="stop",
        prompt_eval_count=12,
        eval_count=7,
    )


def pieces(text):
    """A text in runs of one to four characters."""
    while text:
        size = random.randint(1, 4)
        yield text[:size]
        text = text[size:]


def stream_bytes(dialect, reply, body, endpoint, scenario):
    ended = {"anthropic": "", "openai": "data: [DONE]\n\n", "ollama": ""}[dialect]
    out = []
    if dialect == "anthropic":
        for event in anthropic_stream(reply, body):
            out.append(f"event: {event.type}\ndata: {event.model_dump_json()}\n\n")
            if random.random() < 0.2:
                out.append('event: ping\ndata: {"type": "ping"}\n\n')
    elif dialect == "openai":
        for chunk in openai_stream(reply, body):
            # Providers differ in the space after the colon, in line ends and in comments.
            end = random.choice(["\n\n", "\r\n\r\n"])
            space = random.choice(["", " "])
            out.append(f"data:{space}{chunk.model_dump_json(exclude_unset=True)}{end}")
            if random.random() < 0.2:
                out.append(": keep-alive\n\n")
    else:
        for frame in ollama_stream(reply, body, endpoint):
            out.append(frame.model_dump_json(exclude_none=True) + "\n")
    if not scenario.startswith("nodone"):
        out.append(ended)
    return "".join(out).encode()


# --- Faults -----------------------------------------------------------------------------------------------------------


def error_body(dialect, kind, message):
    if dialect == "anthropic":
        return {"type": "error", "error": {"type": kind, "message": message}}
    if dialect == "openai":
        return {"error": {"type": kind, "code": kind, "message": message, "param": None}}
    return {"error": message}


FAILURES = {
    "f429": (429, {"retry-after": "2"}, "rate_limit_error", "slow down"),
    "quota": (429, {}, "insufficient_quota", "You exceeded your current quota"),
    "f500": (500, {}, "api_error", "internal"),
    "f529": (529, {}, "overloaded_error", "Overloaded"),
    "f503": (503, {}, "", "no healthy upstream"),
    "f400": (400, {}, "invalid_request_error", "messages: 'moderation timeout' is no role"),
    "overflow": (400, {}, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    "f401": (401, {}, "authentication_error", f"invalid x-api-key: {KEY}"),
    "f404": (404, {}, "not_found_error", "model: nothing"),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = {}
    lock = threading.Lock()

    def log_message(self, *_):
        pass

    def do_GET(self):
        with self.lock:
            bodies = list(self.seen.get(self.path.strip("/"), []))
        self.answer(200, {}, bodies)

    def do_POST(self):
        scenario, dialect, endpoint = self.path.strip("/").split("/", 2)
        raw = self.rfile.read(int(self.headers["content-length"]))
        try:
            body = json.loads(raw)
            judge(dialect, endpoint, body)
        except Exception as error:
            self.answer(400, {}, error_body(dialect, "invalid_request_error", f"REQUEST REFUSED BY THE SDK: {error}"))
            return
        with self.lock:
            record = {"body": body, "headers": {name.lower(): value for name, value in self.headers.items()}}
            attempts = self.seen.setdefault(scenario, [])
            attempts.append(record)
            count = len(attempts)
        wanted = {"anthropic": ("x-api-key", KEY), "openai": ("authorization", f"Bearer {KEY}")}.get(dialect)
        if wanted and self.headers.get(wanted[0]) != wanted[1] and not scenario.startswith("nokey"):
            self.answer(401, {}, error_body(dialect, "authentication_error", "no such key"))
            return
        kind = scenario.split("-")[0]
        if kind == "flaky" and count == 1:
            self.answer(529, {}, error_body(dialect, "overloaded_error", "Overloaded"))
        elif kind == "hint" and count == 1:
            body = error_body(dialect, "rate_limit_error", "slow down")
            self.answer(429, {"retry-after-ms": "40"}, body)
        elif kind in FAILURES:
            status, headers, name, message = FAILURES[kind]
            self.answer(status, headers, error_body(dialect, name, message) if name else message)
        elif kind == "redirect":
            self.answer(307, {"location": "http://127.0.0.1:1/elsewhere"}, {})
        elif kind == "silent":
            time.sleep(30)
        elif not body.get("stream") or kind == "nonstream":
            self.whole(dialect, kind, body)
        else:
            self.streamed(dialect, kind, endpoint, body)

    def whole(self, dialect, kind, body):
        reply = reply_for(kind)
        build = {"anthropic": anthropic_message, "openai": openai_completion}[dialect]
        text = build(reply, body).model_dump_json()
        if kind == "badjson":
            text = text[: len(text) // 2]
        if kind == "oversize":
            text = json.dumps({"content": [{"type": "text", "text": "x" * (40 << 20)}]})
        self.answer(200, {}, text, raw=True)

    def streamed(self, dialect, kind, endpoint, body):
        data = stream_bytes(dialect, reply_for(kind), body, endpoint, kind)
        self.send_response(200)
        self.send_header("content-type", "application/x-ndjson" if dialect == "ollama" else "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        half = data[: len(data) // 2]
        if kind == "cut":
            # In the middle of a chunk, without its end.
            self.wfile.write(b"%x\r\n" % (len(half) + 100) + half)
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
            self.close_connection = True
            return
        if kind == "eof":
            self.chunks(half)
        elif kind == "badjson":
            self.chunks(b"{oops\n" if dialect == "ollama" else b"data: {oops\n\n")
        elif kind == "fault":
            error = json.dumps(error_body(dialect, "overloaded_error", "Overloaded"))
            self.chunks(half.rsplit(b"\n\n", 1)[0] + b"\n\n")
            self.chunks(f"event: error\ndata: {error}\n\n".encode())
        elif kind == "stall":
            self.chunks(half)
            time.sleep(30)
        elif kind == "slow":
            for byte in data:
                self.chunks(bytes([byte]))
                time.sleep(0.05)
        elif kind == "oversize":
            line = b": " + b"x" * (1 << 20) + b"\n"
            for _ in range(40):
                self.chunks(line)
        elif kind == "longline":
            for _ in range(12):
                self.chunks(b"data: " + b"x" * (1 << 20))
        else:
            self.chunks(data)
        self.wfile.write(b"0\r\n\r\n")

    def chunks(self, data):
        """Writes data in pieces that end anywhere, also inside characters and line ends."""
        while data:
            size = random.choice([1, 2, 3, 7, 64, 1 << 20]) if len(data) < 1 << 16 else 1 << 20
            piece, data = data[:size], data[size:]
            self.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
            self.wfile.flush()

    def answer(self, status, headers, body, raw=False):
        data = body.encode() if raw else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that goes away is part of the tests."""


def main():
    random.seed(SEED)
    server = Server(("127.0.0.1", 0), Handler)
    print(f"PORT {server.server_address[1]} SEED {SEED}", flush=True)
    # The server ends with the test that started it: its standard input is closed then.
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
