//! `harn repl`: entries from a pipe and from a terminal.

use crate::place::{Done, Place};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Gives the entries to `harn repl` through a pipe.
fn piped_in(place: &Place, text: &str, args: &[&str]) -> Done {
    let mut command = place.command(&[&["repl"], args].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Done(child.wait_with_output().unwrap())
}

fn piped(text: &str) -> Done {
    piped_in(&Place::new(), text, &[])
}

#[test]
fn values_are_printed_and_nothing_else() {
    let done = piped("1 + 2\n\n\"text\"\nnil\nlet a = [1,\n  2]\na\nprintln(\"out\")\n");
    assert_eq!(
        (done.out().as_str(), done.err().as_str(), done.code()),
        ("3\ntext\n[1, 2]\nout\n", "", Some(0))
    );
}

#[test]
fn declarations_stay() {
    let place = Place::new();
    place.file("lib.harn", "pub fn twice(x: int) -> int { return x * 2 }\n");
    let text = "var n = 1\nfn add(by) {\n  n = n + by\n  return n\n}\nadd(4)\nlet keep = add\nn = n * 2\nkeep(1)\n\
                struct P { x: int }\nlet p = P { x: 20 }\nimpl P { fn double(self) { return self.x * 2 } }\n\
                p.double()\nenum E { A, B(v: int) }\nmatch E.B(3) { E.B(v) -> { v } _ -> { 0 } }\n\
                import \"lib\"\ntwice(4)\ntool shout(text: string) -> string { return text + \"!\" }\ntype_of(shout)\n";
    let done = piped_in(&place, text, &[]);
    assert_eq!((done.out().as_str(), done.err().as_str()), ("5\n11\n40\n3\n8\ndict\n", ""));
}

#[test]
fn what_is_declared_anew_replaces_what_was() {
    let text = "let a = 1\nfn f() { return a }\nlet old = f\nlet a = \"new\"\nf()\nold()\nfn f() { return 7 }\nf()\n\
                let [b, c] = [1, 2]\nlet b = 5\nb + c\n";
    assert_eq!(piped(text).out(), "new\n1\n7\n7\n");
}

#[test]
fn values_have_names() {
    assert_eq!(piped("20\nprintln(\"x\")\n_1 + 1\n_1 + _2\n").out(), "20\nx\n21\n41\n");
}

#[test]
fn an_error_leaves_the_program_as_it_was() {
    let text = "let a = 1\nlet a = 2; let b = 1 / 0\na\nlet a: int = \"x\"\na\nlet c = (\n\n)\na + 1\nb\n";
    let done = piped(text);
    assert_eq!(done.out(), "1\n1\n2\n");
    assert_eq!(done.code(), Some(1));
    for part in ["Division by zero", "declared as int", "Undefined variable: b"] {
        assert!(done.err().contains(part), "{part} in {}", done.err());
    }
}

#[test]
fn errors_show_the_entry_they_are_in() {
    let done = piped("fn half(n) {\n  return n / 0\n}\nlet five = 5; half(five)\n");
    insta::assert_snapshot!(done.err(), @r"
    error: Runtime error: Division by zero (line 2)
      --> <repl:1>:2:10
       |
     2 |   return n / 0
       |          ^
      = note: called from pipeline at <repl:2>:1
    ");
    let done = piped("let a = 1\nlet b = 2; a + nope()\n");
    assert!(
        done.err().contains("  --> <repl:2>:1:16\n   |\n 1 | let b = 2; a + nope()\n   |                ^"),
        "{}",
        done.err()
    );
}

#[test]
fn tasks_and_channels_outlive_their_entry() {
    let text =
        "let c = channel(\"c\", 1)\nlet t = spawn { receive(c) + 1 }\nlet sent = send(c, 41)\nawait(t)\n";
    assert_eq!(piped(text).out(), "42\n");
}

#[test]
fn the_options_of_run_hold() {
    let place = Place::new();
    let text = "write_file(\"a.txt\", \"x\")\nexec(\"true\")\n1\n";
    let done = piped_in(&place, text, &["--deny-write", "--deny", "exec"]);
    assert_eq!((done.out().as_str(), done.code()), ("1\n", Some(1)));
    assert!(!place.dir.path().join("a.txt").exists());
    assert!(done.err().contains("Tool 'exec' is not permitted."), "{}", done.err());
    assert_eq!(place.harn(&["repl", "--deny", "exek"]).code(), Some(2));
}

#[test]
fn exit_leaves_with_its_code_and_the_end_of_input_is_the_end_of_an_entry() {
    assert_eq!(piped("exit(3)\nprintln(\"never\")\n").code(), Some(3));
    assert_eq!(piped("1 + 1").out(), "2\n");
    let unfinished = piped("fn f() {\n");
    assert!(unfinished.err().contains("end of file"), "{}", unfinished.err());
    assert_eq!(unfinished.code(), Some(1));
}

#[test]
fn a_warning_is_told_once() {
    let done = piped("fn f() { return nope }\nlet a = 1\na\n");
    assert_eq!(done.err().matches("Undefined variable: nope").count(), 1, "{}", done.err());
}

#[test]
fn hundreds_of_entries_are_quick_enough() {
    let text: String = (0..300).map(|i| format!("let v{i} = {i}\n")).chain(["v299\n".to_owned()]).collect();
    assert_eq!(piped(&text).out(), "299\n");
}

/// A terminal with `harn repl` in it.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// `script` runs a command on a terminal of its own, with a shell; `exec`, for some shells wait beside the command and
    /// end with 130 after an interrupt that only it took.
    fn open(place: &Place) -> Terminal {
        let mut command = Command::new("script");
        command.args(["-qefc", &format!("exec {} repl", env!("CARGO_BIN_EXE_harn")), "/dev/null"]);
        command.current_dir(place.dir.path()).env("HOME", place.dir.path()).env("TERM", "xterm");
        command.env("NO_COLOR", "1").env("HARN_CACHE", "off").env_remove("HARN_STATE_DIR");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let keys = child.stdin.take().unwrap();
        let mut screen = child.stdout.take().unwrap();
        let (sender, shown) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { child, keys, shown, seen: String::new() }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Everything shown until `text` is.
    fn until(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.seen.find(text) {
                let rest = self.seen.split_off(at + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            match self.shown.recv_timeout(Duration::from_secs(30)) {
                Ok(more) => self.seen.push_str(&String::from_utf8_lossy(&more)),
                Err(_) => panic!("{text:?} is not shown, but {:?}", self.seen),
            }
        }
    }

    /// Types a line at the prompt and waits for what it shows.
    fn line(&mut self, line: &str, shows: &str) -> String {
        self.until("harn> ");
        self.press(&format!("{line}\r"));
        self.until(shows)
    }

    /// Leaves by Ctrl+D; the exit code.
    fn leave(mut self) -> Option<i32> {
        self.until("harn> ");
        self.press("\x04");
        self.until("Goodbye!");
        self.child.wait().unwrap().code()
    }
}

#[test]
fn a_terminal_shows_name_type_and_value() {
    let mut terminal = Terminal::open(&Place::new());
    terminal.line("[1, 2]", "_1: list<int> = [1, 2]");
    terminal.line("\"a${1}b\"", "_2: string = \"a1b\"");
    terminal.line("let f = { x -> x }; f(1.5)", "_3: float = 1.5");
    terminal.line("print(\"mid\")", "mid\r\n");
    assert_eq!(terminal.leave(), Some(0));
}

#[test]
fn an_unfinished_entry_goes_on_in_the_next_line() {
    let mut terminal = Terminal::open(&Place::new());
    terminal.line("fn f(x) {", "{");
    terminal.press("return x * 6\r");
    terminal.press("}\r");
    terminal.until("}\u{1b}[?2004l");
    terminal.line("f(7)", " = 42");
    assert_eq!(terminal.leave(), Some(0));
}

#[test]
fn ctrl_c_stops_what_runs_and_not_the_session() {
    let mut terminal = Terminal::open(&Place::new());
    terminal.line("let a = 5; println(\"begun\"); while true { }", "begun\r\n");
    terminal.press("\x03");
    terminal.until("interrupted");
    terminal.line("var n = 1; println(\"asleep\"); sleep(1h)", "asleep\r\n");
    terminal.press("\x03");
    terminal.until("interrupted");
    terminal.line("20 + 1", "_1: int = 21");
    // At the prompt it gives up the line.
    terminal.line("1 + fault\x03", "");
    terminal.line("_1 * 2", "_2: int = 42");
    assert_eq!(terminal.leave(), Some(0));
}

#[test]
fn tab_completes_names_and_members() {
    let mut terminal = Terminal::open(&Place::new());
    terminal.line("let remarkable = \"text\"", "");
    terminal.line("rema\t", "_1: string = \"text\"");
    terminal.line("remarkable.to_upp\t()", "_2: string = \"TEXT\"");
    terminal.line("json_stri\t([1])", "_3: string = \"[1]\"");
    assert_eq!(terminal.leave(), Some(0));
}

#[test]
fn history_lasts_beyond_the_session() {
    let place = Place::new();
    let mut terminal = Terminal::open(&place);
    terminal.line("40 + 2", "_1: int = 42");
    assert_eq!(terminal.leave(), Some(0));
    let mut terminal = Terminal::open(&place);
    terminal.line("\x1b[A", "_1: int = 42");
    assert_eq!(terminal.leave(), Some(0));
    assert!(place.dir.path().join(".harn/repl_history").exists());
}
