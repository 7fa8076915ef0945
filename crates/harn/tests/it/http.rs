//! Programs that use HTTP against a server of this machine.

use crate::place::Place;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A server that answers each request with what `answer` makes of its head, and keeps the heads.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

fn serve(answer: impl Fn(&str, usize) -> String + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    // The thread ends with the test process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head = read_head(&mut stream);
            let number = {
                let mut seen = seen.lock().unwrap();
                seen.push(head.clone());
                seen.len()
            };
            stream.write_all(answer(&head, number).as_bytes()).unwrap();
        }
    });
    Server { port, heads }
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    head + "\n" + &String::from_utf8_lossy(&body)
}

fn reply(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

#[test]
fn a_busy_server_is_asked_again_after_the_pause_it_names() {
    let server = serve(|_, number| match number {
        1 => reply("503 Busy", "retry-after: 0.05\r\n", ""),
        _ => reply("200 OK", "", "here"),
    });
    let text = format!(
        "let r = http_get(\"http://127.0.0.1:{}/\", {{retry: {{max: 2, backoff_ms: 1}}}})\nprintln(\"${{r.status}} ${{r.body}}\")",
        server.port
    );
    let done = Place::new().run(&text);
    assert_eq!(done.out(), "200 here\n", "{}", done.err());
    assert_eq!(server.heads.lock().unwrap().len(), 2);
}

#[test]
fn a_redirection_to_another_origin_leaves_secrets_behind() {
    let target = serve(|_, _| reply("200 OK", "", "moved"));
    let port = target.port;
    let first =
        serve(move |_, _| reply("302 Found", &format!("location: http://127.0.0.1:{port}/to\r\n"), ""));
    let text = format!(
        "println(http_post(\"http://127.0.0.1:{}/\", \"body\", {{auth: {{bearer: \"tok\"}}, headers: {{[\"x-a\"]: \"1\"}}}}).body)",
        first.port
    );
    let done = Place::new().run(&text);
    assert_eq!(done.out(), "moved\n", "{}", done.err());
    assert!(first.heads.lock().unwrap()[0].contains("authorization: Bearer tok"));
    let heads = target.heads.lock().unwrap();
    assert!(heads[0].starts_with("GET /to") && heads[0].contains("x-a: 1"), "{heads:?}");
    assert!(!heads[0].contains("Bearer"), "{heads:?}");
}

#[test]
fn an_egress_policy_of_the_environment_binds_every_hop() {
    let server = serve(|_, _| reply("302 Found", "location: http://blocked.test/\r\n", ""));
    let place = Place::new();
    place.file(
        "main.harn",
        format!(
            "println(try {{ http_get(\"http://127.0.0.1:{}/\") }} catch (e) {{ \"${{e.type}} ${{e.host}} ${{e.reason}}\" }})",
            server.port
        ),
    );
    let mut command = place.command(&["run", "main.harn"]);
    command.env("HARN_EGRESS_ALLOW", "127.0.0.1").env("HARN_EGRESS_DEFAULT", "deny");
    let out = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout), "EgressBlocked blocked.test no allow rule matched\n");
}

#[test]
fn events_arrive_one_by_one() {
    let server = serve(|_, _| {
        reply("200 OK", "content-type: text/event-stream\r\n", "data: one\n\nevent: x\nid: 7\ndata: two\n\n")
    });
    let text = format!(
        r#"let s = sse_connect("GET", "http://127.0.0.1:{}/")
println(sse_receive(s).type)
println(sse_receive(s).data)
let e = sse_receive(s)
println("${{e.event}} ${{e.data}} ${{e.id}}")
println(sse_receive(s))"#,
        server.port
    );
    let done = Place::new().run(&text);
    assert_eq!(done.out(), "open\none\nx two 7\nnil\n", "{}", done.err());
}

#[test]
fn a_download_of_an_error_page_replaces_nothing() {
    let server = serve(|_, _| reply("500 Oops", "", "sorry"));
    let place = Place::new();
    place.file("kept.txt", "old");
    let text = format!("println(http_download(\"http://127.0.0.1:{}/\", \"kept.txt\").ok)", server.port);
    let done = place.run(&text);
    assert_eq!(done.out(), "false\n", "{}", done.err());
    assert_eq!(std::fs::read_to_string(place.dir.path().join("kept.txt")).unwrap(), "old");
}

#[test]
fn with_scripts_nothing_leaves_unless_allowed() {
    let server = serve(|_, _| reply("200 OK", "", "real"));
    let text = format!(
        r#"http_mock("GET", "https://a.test/", {{body: "scripted"}})
println(try {{ http_get("http://127.0.0.1:{0}/") }} catch (e) {{ e }})
http_mock_passthrough()
println(http_get("http://127.0.0.1:{0}/").body)"#,
        server.port
    );
    let done = Place::new().run(&text);
    let expected = format!(
        "http: no mock answers GET http://127.0.0.1:{}/; add one, or let it through with http_mock_passthrough(true)\nreal\n",
        server.port
    );
    assert_eq!(done.out(), expected, "{}", done.err());
}
