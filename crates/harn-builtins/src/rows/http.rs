//! HTTP, event streams and sockets as a client (spec 06 sections 6 and 12).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::internal("handles", "__handle_id", "fn(handle: any) -> string", "The id of a handle."),
    B::internal(
        "handles",
        "__options_of",
        "fn(value: any) -> dict",
        "The options, none when they are no dict.",
    ),
    B::prelude(
        "http",
        "http_get",
        "fn(url: string, options?: dict) -> dict",
        "Fetches a URL: `{status, headers, body, ok}`.",
        r#"http_mock("*", "*", {body: "hi"})
http_get("https://a.test/").body // hi"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "http_delete",
        "fn(url: string, options?: dict) -> dict",
        "Sends DELETE.",
        r#"http_mock("*", "*", {body: "hi"})
http_delete("https://a.test/").status // 200"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "http_post",
        "fn(url: string, body?: any, options?: dict) -> dict",
        "Sends POST with a body, or with an options dict in its place.",
        r#"http_mock("*", "*", {body: "hi"})
http_post("https://a.test/", "x").ok // true"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "http_put",
        "fn(url: string, body?: any, options?: dict) -> dict",
        "Sends PUT.",
        r#"http_mock("*", "*", {body: "hi"})
http_put("https://a.test/", "x").ok // true"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "http_patch",
        "fn(url: string, body?: any, options?: dict) -> dict",
        "Sends PATCH.",
        r#"http_mock("*", "*", {body: "hi"})
http_patch("https://a.test/", "x").ok // true"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "http_request",
        "fn(method: string, url: string, options?: dict) -> dict",
        "Sends a request of any method.",
        r#"http_mock("*", "*", {body: "hi"})
http_request("get", "https://a.test/").status // 200"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "http_download",
        "fn(url: string, dst_path: string, options?: dict) -> dict",
        "Fetches a URL into a file: `{status, headers, bytes_written, ok}`.",
        r#"http_mock("*", "*", {body: "hi"})
http_download("https://a.test/", path_join(temp_subdir(), "f")).bytes_written // 2"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "http_session",
        "fn(options?: dict) -> string",
        "Keeps options as the defaults of later requests: a handle.",
        "type_of(http_session({})) // string",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "http_session_request",
        "fn(session: any, method: string, url: string, options?: dict) -> dict",
        "Sends a request with the defaults of a session.",
        r#"http_mock("*", "*", {body: "hi"})
http_session_request(http_session({}), "GET", "https://a.test/").status // 200"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "http_session_close",
        "fn(session: any) -> bool",
        "Forgets a session.",
        "http_session_close(http_session({})) // true",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "http_stream_open",
        "fn(url: string, options?: dict) -> string",
        "Opens a URL whose body is read piece by piece: a handle.",
        r#"http_mock("*", "*", {body: "hi"})
http_stream_close(http_stream_open("https://a.test/")) // true"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "http_stream_read",
        "fn(stream: any, max_bytes?: int) -> bytes | nil",
        "The next bytes of an open body, nil at its end.",
        r#"http_mock("*", "*", {body: "hi"})
bytes_to_string(http_stream_read(http_stream_open("https://a.test/"))) // hi"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "http_stream_info",
        "fn(stream: any) -> dict",
        "Status and headers of an open body.",
        r#"http_mock("*", "*", {body: "hi"})
http_stream_info(http_stream_open("https://a.test/")).status // 200"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "http_stream_close",
        "fn(stream: any) -> bool",
        "Closes an open body.",
        r#"http_stream_close("none") // false"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "http_mock",
        "fn(method: string, url_pattern: string, response?: dict) -> nil",
        "Scripts the reply to requests whose method and URL fit.",
        r#"http_mock("*", "*", {body: "hi"})
http_get("https://a.test/").body // hi"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "http_mock_clear",
        "fn() -> nil",
        "Drops scripted replies and the log of requests.",
        "http_mock_clear()\nlen(http_mock_calls()) // 0",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "http_mock_calls",
        "fn(options?: dict) -> list",
        "The requests that scripts have answered: `{method, url, headers, body}`.",
        "http_mock_calls() // []",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "http_mock_passthrough",
        "fn(allow?: bool) -> nil",
        "Lets requests that no script answers reach the network.",
        "http_mock_passthrough(true)",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "egress_policy",
        "fn(config: dict) -> dict",
        "Sets which hosts the program may reach; once.",
        r#"egress_policy({allow: ["a.test"], default: "deny"}).default // deny"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "sse_connect",
        "fn(method: string, url: string, options?: dict) -> string",
        "Opens a stream of server-sent events: a handle.",
        r#"sse_mock("*", ["hi"])
type_of(sse_connect("GET", "https://a.test/")) // string"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "sse_receive",
        "fn(stream: any, timeout_ms?: any) -> dict | nil",
        "The next event of a stream, nil at its end.",
        r#"sse_mock("*", ["hi"])
sse_receive(sse_connect("GET", "https://a.test/")).type // open"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "sse_close",
        "fn(stream: any) -> bool",
        "Closes a stream of events.",
        r#"sse_close("none") // false"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "sse_mock",
        "fn(url_pattern: string, events: any) -> nil",
        "Scripts the events of a stream.",
        r#"sse_mock("*", ["hi"])"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "websocket_connect",
        "fn(url: string, options?: dict) -> string",
        "Opens a WebSocket: a handle.",
        r#"websocket_mock("*", ["hi"])
websocket_receive(websocket_connect("wss://a.test/")).data // hi"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "websocket_send",
        "fn(socket: any, message: any, options?: dict) -> bool",
        "Sends text, bytes or a control frame.",
        r#"websocket_mock("*", {echo: true})
websocket_send(websocket_connect("wss://a.test/"), "hi") // true"#,
    )
    .effect(EffectClass::Network),
    B::prelude(
        "http",
        "websocket_receive",
        "fn(socket: any, timeout_ms?: any) -> dict | nil",
        "The next message of a socket, nil after its end.",
        r#"websocket_mock("*", ["hi"])
websocket_receive(websocket_connect("wss://a.test/")).data // hi"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "websocket_close",
        "fn(socket: any) -> bool",
        "Closes a socket.",
        r#"websocket_close("none") // false"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "websocket_mock",
        "fn(url_pattern: string, messages: any) -> nil",
        "Scripts a socket: its messages, and whether it echoes.",
        r#"websocket_mock("*", {messages: [], echo: true})"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "transport_mock_calls",
        "fn() -> list",
        "What was done with scripted streams and sockets.",
        "transport_mock_calls() // []",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "http",
        "transport_mock_clear",
        "fn() -> nil",
        "Drops scripted streams and sockets and their log.",
        "transport_mock_clear()",
    )
    .effect(EffectClass::Ambient),
];
