//! HTTP servers inside a program and server-sent events (spec 06 section 7).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude(
        "http_server",
        "http_server",
        "fn(options?: dict) -> dict",
        "A router of requests without a socket: `{id, kind}`.",
        "http_server().kind // http_server",
    ),
    B::prelude(
        "http_server",
        "http_server_route",
        "fn(server: any, method: string, template: string, handler: any, options?: dict) -> nil",
        "Adds a handler for a method and a path such as `/users/{id}`.",
        r#"let s = http_server()
http_server_route(s, "GET", "/", { r -> "hi" })
http_server_test(s, {path: "/"}).body // hi"#,
    ),
    B::prelude(
        "http_server",
        "http_server_before",
        "fn(server: any, f: any) -> nil",
        "Adds a hook that sees each request first and may answer or replace it.",
        r#"let s = http_server()
http_server_before(s, { r -> http_response(403) })
http_server_route(s, "GET", "/", { r -> "hi" })
http_server_test(s, {}).status // 403"#,
    ),
    B::prelude(
        "http_server",
        "http_server_after",
        "fn(server: any, f: any) -> nil",
        "Adds a hook that may replace each response.",
        r#"let s = http_server()
http_server_after(s, { resp, req -> http_response(202) })
http_server_route(s, "GET", "/", { r -> "hi" })
http_server_test(s, {}).status // 202"#,
    ),
    B::prelude(
        "http_server",
        "http_server_request",
        "fn(server: any, request?: dict) -> dict",
        "The response of a server to a request.",
        r#"let s = http_server()
http_server_request(s, {path: "/x"}).status // 404"#,
    ),
    B::prelude(
        "http_server",
        "http_server_test",
        "fn(server: any, request?: dict) -> dict",
        "The response of a server to a request.",
        r#"let s = http_server()
http_server_test(s, {path: "/x"}).body // no route for GET /x"#,
    ),
    B::prelude(
        "http_server",
        "http_server_set_ready",
        "fn(server: any, ready: any) -> nil",
        "Says whether the server takes requests.",
        "let s = http_server()\nhttp_server_set_ready(s, false)\nhttp_server_ready(s) // false",
    ),
    B::prelude(
        "http_server",
        "http_server_readiness",
        "fn(server: any, f: any) -> nil",
        "Asks a closure whether the server is ready.",
        "let s = http_server()\nhttp_server_readiness(s, { _s -> false })\nhttp_server_ready(s) // false",
    ),
    B::prelude(
        "http_server",
        "http_server_ready",
        "fn(server: any) -> bool",
        "Whether the server takes requests.",
        "http_server_ready(http_server()) // true",
    ),
    B::prelude(
        "http_server",
        "http_server_on_shutdown",
        "fn(server: any, f: any) -> nil",
        "Adds a hook of the shutdown.",
        r#"let s = http_server()
http_server_on_shutdown(s, { _s -> println("bye") })
http_server_shutdown(s) // true"#,
    ),
    B::prelude(
        "http_server",
        "http_server_shutdown",
        "fn(server: any) -> bool",
        "Shuts a server down after its hooks.",
        "let s = http_server()\nhttp_server_shutdown(s)\nhttp_server_ready(s) // false",
    ),
    B::prelude(
        "http_server",
        "http_response",
        "fn(status: int, body?: any, headers?: dict) -> dict",
        "A response.",
        r#"http_response(201, "made").ok // true"#,
    ),
    B::prelude(
        "http_server",
        "http_response_text",
        "fn(value: any, options?: dict) -> dict",
        "A response of text.",
        r#"http_response_text("hi").body // hi"#,
    ),
    B::prelude(
        "http_server",
        "http_response_json",
        "fn(value: any, options?: dict) -> dict",
        "A response of JSON.",
        r#"http_response_json({a: 1}).body // {"a":1}"#,
    ),
    B::prelude(
        "http_server",
        "http_response_bytes",
        "fn(bytes: bytes, options?: dict) -> dict",
        "A response of bytes.",
        r#"http_response_bytes(bytes_from_string("hi")).body // hi"#,
    ),
    B::prelude(
        "http_server",
        "http_header",
        "fn(headers: any, name: string) -> string | nil",
        "A header of a message or a dict of headers, whatever its case.",
        r#"http_header({["X-A"]: "1"}, "x-a") // 1"#,
    ),
    B::prelude(
        "http_server",
        "http_server_tls_plain",
        "fn() -> dict",
        "Describes a server without TLS.",
        "http_server_tls_plain().scheme // http",
    ),
    B::prelude(
        "http_server",
        "http_server_tls_edge",
        "fn(options?: dict) -> dict",
        "Describes a server behind one that ends TLS.",
        "http_server_tls_edge().scheme // https",
    ),
    B::prelude(
        "http_server",
        "http_server_tls_pem",
        "fn(cert_path: string, key_path: string) -> dict",
        "Describes a server with a certificate and a key in files.",
        r#"is_err(try { http_server_tls_pem("/no", "/no") }) // true"#,
    )
    .effect(EffectClass::Read),
    B::prelude(
        "http_server",
        "http_server_tls_self_signed_dev",
        "fn(hosts?: list) -> dict",
        "Describes a server with a certificate of its own, for development.",
        "http_server_tls_self_signed_dev().hsts // false",
    ),
    B::prelude(
        "http_server",
        "http_server_security_headers",
        "fn(config?: dict) -> dict",
        "The headers that a TLS description asks for.",
        "http_server_security_headers(http_server_tls_plain()) // {}",
    ),
    B::prelude(
        "http_server",
        "sse_event",
        "fn(event: any, options?: dict) -> string",
        "A server-sent event as text.",
        r#"sse_event("hi").trim() // data: hi"#,
    ),
    B::prelude(
        "http_server",
        "sse_server_response",
        "fn(options?: dict) -> dict",
        "A response whose events are sent later.",
        "sse_server_response().status // 200",
    ),
    B::prelude(
        "http_server",
        "sse_server_send",
        "fn(stream: any, event: any, options?: dict) -> bool",
        "Sends an event; false after the end.",
        r#"sse_server_send(sse_server_response(), "hi") // true"#,
    ),
    B::prelude(
        "http_server",
        "sse_server_heartbeat",
        "fn(stream: any, comment?: any) -> bool",
        "Sends a comment that keeps the connection open.",
        "sse_server_heartbeat(sse_server_response()) // true",
    ),
    B::prelude(
        "http_server",
        "sse_server_flush",
        "fn(stream: any) -> bool",
        "Marks what was sent as flushed.",
        "sse_server_flush(sse_server_response()) // true",
    ),
    B::prelude(
        "http_server",
        "sse_server_close",
        "fn(stream: any) -> bool",
        "Ends a stream.",
        "sse_server_close(sse_server_response()) // true",
    ),
    B::prelude(
        "http_server",
        "sse_server_cancel",
        "fn(stream: any, reason?: any) -> bool",
        "Ends a stream with a reason.",
        r#"sse_server_cancel(sse_server_response(), "late") // true"#,
    ),
    B::prelude(
        "http_server",
        "sse_server_disconnected",
        "fn(stream: any) -> bool",
        "Whether the client has gone.",
        "sse_server_disconnected(sse_server_response()) // false",
    ),
    B::prelude(
        "http_server",
        "sse_server_cancelled",
        "fn(stream: any) -> bool",
        "Whether the stream was cancelled.",
        "sse_server_cancelled(sse_server_response()) // false",
    ),
    B::prelude(
        "http_server",
        "sse_server_status",
        "fn(stream: any) -> dict",
        "The counts and the state of a stream.",
        "sse_server_status(sse_server_response()).sent_events // 0",
    ),
    B::prelude(
        "http_server",
        "sse_server_mock_receive",
        "fn(stream: any) -> dict",
        "The next event of a stream as a client would read it.",
        "sse_server_mock_receive(sse_server_response()).type // timeout",
    ),
    B::prelude(
        "http_server",
        "sse_server_mock_disconnect",
        "fn(stream: any) -> bool",
        "Plays a client that goes away.",
        "sse_server_mock_disconnect(sse_server_response()) // true",
    ),
    B::primitive(
        "__url_join",
        "fn(base: string, relative: string) -> string | nil",
        "The absolute URL of a reference, or nil.",
    ),
    B::primitive(
        "__retry_after_ms",
        "fn(header: string, now_ms: int) -> int | nil",
        "The pause that a `retry-after` header asks for.",
    ),
    B::primitive("__percent_decode", "fn(text: string) -> string", "Text without percent escapes."),
    B::primitive("__divert_output", "fn(on: bool) -> nil", "Sends what the task prints to standard error."),
    B::primitive(
        "__keep",
        "fn(kind: string, id: string, value: any) -> nil",
        "Keeps a value for all tasks of the program.",
    ),
    B::primitive(
        "__kept",
        "fn(kind: string, id: string) -> any",
        "The value kept under a kind and an id, or nil.",
    ),
    B::primitive("__kept_count", "fn(kind: string) -> int", "How many values of a kind are kept."),
];
