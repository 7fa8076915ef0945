//! Runs that are suspended and resumed (spec 08 section 4.6): what a program prints over all its processes is what it
//! would have printed in one.

use crate::place::{Done, Place};

const SUSPENDED: Option<i32> = Some(75);

/// Runs a program with every wait suspended, approving and answering what it asks (`yes`), until it ends. What it
/// printed on standard output, the code of its last process, and how many processes it took.
fn in_pieces(place: &Place, program: &str) -> (String, Option<i32>, usize) {
    place.file("program.harn", program);
    let mut output = place.harn(&["run", "--suspend", "program.harn"]);
    let mut printed = output.out();
    let mut processes = 1;
    while output.code() == SUSPENDED {
        assert!(processes < 20, "{}", output.err());
        let run = suspended_run(&output);
        answer_one(place);
        output = place.harn(&["resume", "--suspend", &run]);
        printed.push_str(&output.out());
        processes += 1;
    }
    let errors = output.err();
    assert!(output.code() != Some(101), "{errors}");
    if output.code() != Some(0) {
        printed.push_str(&errors);
    }
    (printed, output.code(), processes)
}

/// The run that a process left behind.
fn suspended_run(output: &Done) -> String {
    let errors = output.err();
    let line =
        errors.lines().find(|line| line.starts_with("suspended ")).unwrap_or_else(|| panic!("{errors}"));
    line.split(' ').nth(1).unwrap().to_owned()
}

/// Answers the oldest open request.
fn answer_one(place: &Place) {
    let list = place.harn(&["hitl", "list"]).out();
    let oldest = list.lines().last().unwrap_or_default().to_owned();
    let mut words = oldest.split(' ');
    let (id, kind) = (words.next().unwrap(), words.next().unwrap());
    let answered = match kind {
        "question" => place.harn(&["hitl", "answer", id, "yes", "--reviewer", "ann"]),
        _ => place.harn(&["hitl", "approve", id, "--reviewer", "ann"]),
    };
    assert!(answered.code() == Some(0), "{}", answered.err());
}

fn prints(program: &str, processes: usize, expected: &str) {
    let place = Place::new();
    let (printed, code, took) = in_pieces(&place, program);
    assert_eq!((printed.as_str(), code, took), (expected, Some(0), processes));
}

#[test]
fn a_run_waits_inside_nested_calls_and_finally_blocks() {
    prints(
        r#"
var total = 10
fn inner(x) {
  var steps = ["a longer text than fits a value"]
  try {
    let r = request_approval("deploy ${x}")
    steps = steps.push("approved by ${r.reviewers}")
  } finally {
    println("finally ${x}")
  }
  return steps
}
fn outer(n) { return n == 0 ? inner("prod") : outer(n - 1) + ["level ${n}"] }
pipeline default(task) {
  println("before")
  total = total + 5
  println("after ${outer(2)} ${total}")
}
"#,
        2,
        "before\nfinally prod\nafter [a longer text than fits a value, approved by [ann], level 1, level 2] 15\n",
    );
}

#[test]
fn closures_keep_what_they_captured_and_each_other() {
    prints(
        r#"
pipeline default(task) {
  let start = ["a text of more than fourteen bytes"]
  fn even(n) { return n == 0 ? "even ${start}" : odd(n - 1) }
  fn odd(n) { return n == 0 ? "odd" : even(n - 1) }
  ask_user("go on?")
  println(even(4))
}
"#,
        2,
        "even [a text of more than fourteen bytes]\n",
    );
}

#[test]
fn a_generator_waits_in_the_middle_of_a_loop() {
    prints(
        r#"
fn asked(n) {
  for i in 1 to n { yield "${i} ${ask_user("item ${i}?")}" }
}
pipeline default(task) {
  let other = asked(1)
  for x in asked(2) { println(x) }
  println(other.next())
}
"#,
        4,
        "1 yes\n2 yes\n{done: false, value: 1 yes}\n",
    );
}

#[test]
fn loops_go_on_where_they_were() {
    prints(
        r#"
pipeline default(task) {
  var gaps = set([9, 1, 2, 3])
  gaps = gaps.remove(9)
  for x in gaps {
    if x == 2 { ask_user("?") }
    print("${x} ")
  }
  for e in {b: 1, a: 2} {
    ask_user("?")
    print("${e.key} ")
  }
  for c in "äbc" {
    if c == "b" { ask_user("?") }
    print("${c} ")
  }
  for i in 1 to 3 {
    if i == 2 { ask_user("?") }
    print("${i} ")
  }
  println([3, 1, 2].map({ x -> x == 1 ? ask_user("?") : x }))
}
"#,
        7,
        "1 2 3 a b ä b c 1 2 3 [3, yes, 2]\n",
    );
}

#[test]
fn branches_that_run_in_parallel_wait_each_for_its_own_answer() {
    prints(
        r#"
pipeline default(task) {
  let results = parallel each [1, 2, 3] { x ->
    print("start ${x}; ")
    let answer = x == 3 ? "none" : ask_user("branch ${x}?")
    println("branch ${x}: ${answer}")
    x * 10
  }
  println(results)
  let settled = parallel settle [1, 2] { x -> request_approval("s ${x}"); throw "no ${x}" }
  println("${settled.failed} failed")
}
"#,
        5,
        "start 1; branch 1: yes\nstart 2; branch 2: yes\nstart 3; branch 3: none\n[10, 20, 30]\n2 failed\n",
    );
}

#[test]
fn tasks_channels_locks_and_shared_values_go_on() {
    prints(
        r#"
pipeline default(task) {
  let ch = channel("results", 4)
  let n = atomic(5)
  let cell = shared_cell({key: "c", initial: 1})
  let worker = spawn {
    mutex {
      let a = ask_user("in the mutex?")
      atomic_add(n, 1)
      send(ch, a)
    }
    "worker done"
  }
  let second = spawn {
    mutex { send(ch, "second") }
    "second done"
  }
  println("got ${receive(ch)} and ${receive(ch)}")
  shared_set(cell, 2)
  println("${await(worker)}, ${await(second)}, ${atomic_get(n)}, ${shared_get(cell)}, ${len([ch, ch])}")
}
"#,
        2,
        "got yes and second\nworker done, second done, 6, 2, 2\n",
    );
}

#[test]
fn values_of_every_kind_come_back() {
    prints(
        r#"
struct Point { x: int, y: int }
enum Shape { Circle(r: float), Empty }
impl Point { fn sum(self) { return self.x + self.y } }
fn twice(f, x) { return f(f(x)) }
pipeline default(task) {
  let point = Point {x: 1, y: 2}
  let shape = Shape.Circle(1.5)
  let big = range(0, 40).map({ i -> ["key ${i}", i] }).to_list()
  var dict = {}
  for p in big { dict[p[0]] = p[1] }
  let f = twice
  let g = { x -> x + point.x }
  let d = 5s
  let failed = try { throw {code: 7} } catch e { e }
  let lazy = iter([1, 2, 3]).map({ x -> x * 2 })
  lazy.next()
  ask_user("?")
  println("${point} ${point.sum()} ${shape} ${len(keys(dict))} ${dict["key 39"]} ${f(g, 1)} ${d} ${failed.code}")
  println("${lazy.to_list()} ${nil} ${1.5} ${f == twice}")
}
"#,
        2,
        "Point {x: 1, y: 2} 3 Shape.Circle(1.5) 40 39 3 5s 7\n[4, 6] nil 1.5 true\n",
    );
}

const DEPLOY: &str = r#"
fn helper() { return "helped" }
fn deploy(name) {
  let r = request_approval("deploy ${name}")
  return "deployed ${name}: ${r.approved}"
}
pipeline default(task) {
  println("before")
  println("${deploy("a")} ${helper()}")
}
"#;

#[test]
fn a_tool_of_an_agent_loop_waits() {
    prints(
        r#"
tool deploy(name: string) -> string {
  description "Deploys."
  let r = request_approval("deploy ${name}")
  return "deployed ${name} for ${r.reviewers}"
}
pipeline default(task) {
  llm_mock({text: "<tool_call>\ndeploy({ name: 'prod' })\n</tool_call>"})
  llm_mock({text: "<user_response>All done.</user_response>\n<done>##DONE##</done>"})
  let run = agent_loop("Deploy prod", "Be brief.", {
    provider: "mock", tools: deploy, persistent: true, autonomy_budget: {per_hour: 10, key: "deployer"},
  })
  println("${run.visible_text} (${run.status}, tools ${run.tools.calls})")
  println("${len(llm_mock_calls())} model calls")
}
"#,
        2,
        "All done. (done, tools [deploy])\n2 model calls\n",
    );
}

/// A suspended decision holds no slot; going on it needs one, and waits while somebody else has it.
#[test]
fn a_run_that_goes_on_takes_a_slot_of_its_budget_or_stays_suspended() {
    let place = Place::new();
    let program = r#"
tool deploy(name: string) -> string {
  description "Deploys."
  request_approval("deploy ${name}")
  eprintln("on")
  sleep(to_int(argv[0]))
  return "deployed"
}
pipeline default(task) {
  llm_mock({text: "<tool_call>\ndeploy({ name: 'prod' })\n</tool_call>"})
  llm_mock({text: "<user_response>All done.</user_response>\n<done>##DONE##</done>"})
  let run = agent_loop("Deploy prod", "Be brief.", {
    provider: "mock", tools: deploy, persistent: true, autonomy_budget: {max_concurrent: 1, key: "deployer"},
  })
  println(run.status)
}
"#;
    place.file("program.harn", program);
    let suspend = |wait: &str| {
        let output = place.harn(&["run", "--suspend", "program.harn", "--", wait]);
        assert_eq!(output.code(), SUSPENDED, "{}", output.err());
        answer_one(&place);
        suspended_run(&output)
    };
    let (slow, quick) = (suspend("60000"), suspend("0"));
    let mut child = place.command(&["resume", &slow]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    assert_eq!(line, "on\n");
    let held = place.harn(&["resume", &quick]);
    assert_eq!((held.code(), held.out().as_str()), (SUSPENDED, ""), "{}", held.err());
    let expected = "stays suspended: 1 of 1 decisions of 'deployer' are under way (max_concurrent)";
    assert!(held.err().contains(expected), "{}", held.err());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(place.harn(&["resume", &quick]).out(), "done\n");
}

/// A place where `DEPLOY` waits, suspended, and its request has been approved.
fn approved() -> (Place, String) {
    let place = Place::new();
    place.file("program.harn", DEPLOY);
    let output = place.harn(&["run", "--suspend", "program.harn"]);
    assert_eq!(output.code(), SUSPENDED, "{}", output.err());
    let run = suspended_run(&output);
    answer_one(&place);
    (place, run)
}

#[test]
fn a_changed_function_in_the_middle_of_its_work_is_refused_with_its_place() {
    let (place, run) = approved();
    place.file("program.harn", DEPLOY.replace("deployed ${name}", "released ${name}"));
    let output = place.harn(&["resume", &run]);
    assert_eq!(output.code(), Some(1));
    let expected = "the program has changed since it was suspended: program.harn:4: `deploy` is different";
    assert!(output.err().contains(expected), "{}", output.err());
    // Nothing was taken: with the old text it goes on.
    place.file("program.harn", DEPLOY);
    let output = place.harn(&["resume", &run]);
    assert_eq!((output.out().as_str(), output.code()), ("deployed a: true helped\n", Some(0)));
}

#[test]
fn functions_that_are_not_in_the_middle_of_their_work_may_change() {
    let (place, run) = approved();
    let changed = format!("fn more() {{ return 1 }}\n{}", DEPLOY.replace("\"helped\"", "\"helped better\""));
    place.file("program.harn", changed);
    let output = place.harn(&["resume", &run]);
    assert_eq!((output.out().as_str(), output.code()), ("deployed a: true helped better\n", Some(0)));
}

#[test]
fn a_run_goes_on_in_another_place_with_the_same_log() {
    let (place, run) = approved();
    let other = Place::new();
    other.file("program.harn", DEPLOY);
    let state = place.dir.path().join(".harn");
    let output = other
        .command(&["resume", &run, "--program", "program.harn"])
        .env("HARN_STATE_DIR", state)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "deployed a: true helped\n", "{output:?}");
}

#[test]
fn of_several_that_resume_one_goes_on() {
    let (place, run) = approved();
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = place.command(&["resume", &run]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let printed: Vec<u8> = outputs.into_iter().flat_map(|output| output.stdout).collect();
    assert_eq!(String::from_utf8_lossy(&printed), "deployed a: true helped\n");
}

#[test]
fn ready_goes_on_with_the_runs_that_have_an_answer() {
    let (place, _) = approved();
    place.file("other.harn", "ask_user(\"still open?\")\nprintln(\"never\")\n");
    assert_eq!(place.harn(&["run", "--suspend", "other.harn"]).code(), SUSPENDED);
    let output = place.harn(&["resume", "--ready"]);
    assert_eq!((output.out().as_str(), output.code()), ("deployed a: true helped\n", Some(0)));
    assert_eq!(place.harn(&["resume", "--list"]).out().lines().count(), 1);
}

#[test]
fn a_waiting_process_that_is_killed_loses_nothing() {
    let place = Place::new();
    place.file("program.harn", DEPLOY);
    let mut child =
        place.command(&["run", "program.harn"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let run = loop {
        let list = place.harn(&["resume", "--list"]).out();
        if let Some(run) = list.split(' ').next().filter(|run| run.starts_with("run_")) {
            break run.to_owned();
        }
    };
    child.kill().unwrap();
    let printed = child.wait_with_output().unwrap().stdout;
    answer_one(&place);
    let output = place.harn(&["resume", &run]);
    let all = format!("{}{}", String::from_utf8_lossy(&printed), output.out());
    assert_eq!((all.as_str(), output.code()), ("before\ndeployed a: true helped\n", Some(0)));
    // Once is once.
    assert_eq!(place.harn(&["resume", &run]).code(), Some(1));
}

#[test]
fn what_cannot_be_written_is_named_and_waited_for_here() {
    let place = Place::new();
    let program = "http_mock(\"GET\", \"https://x.test/*\", {body: \"hi\"})\nask_user(\"?\", {timeout: 900ms, default: \"d\"})\n";
    place.file("program.harn", program);
    let output = place.harn(&["run", "--suspend", "program.harn"]);
    assert_eq!(output.code(), Some(0));
    let expected = "not suspended, waiting here: what `http.mock` set up lives in this process only";
    assert!(output.err().contains(expected), "{}", output.err());
}

/// A run that was taken and is still worked on is not taken from its process, also not by force; once the process is dead it
/// is.
#[test]
fn force_takes_a_run_only_from_a_process_that_has_died() {
    let place = Place::new();
    let program =
        "pipeline default(task) {\n  request_approval(\"go\")\n  eprintln(\"on\")\n  sleep(60s)\n}\n";
    place.file("program.harn", program);
    let output = place.harn(&["run", "--suspend", "program.harn"]);
    let run = suspended_run(&output);
    answer_one(&place);
    let mut child = place.command(&["resume", &run]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    let force = |place: &Place| place.harn(&["resume", &run, "--force"]);
    assert!(force(&place).err().contains("which is alive: it goes on there"), "{}", force(&place).err());
    // Killed after its claim: what it did since cannot be known, so it is not repeated by itself.
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(place.harn(&["resume", &run]).err().contains("--force"));
    place.file("program.harn", program);
    let mut again =
        place.command(&["resume", &run, "--force"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    line.clear();
    let mut stderr = std::io::BufReader::new(again.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    assert_eq!(line, "on\n");
    again.kill().unwrap();
    again.wait().unwrap();
}

/// Killed while it writes its state: the run is suspended or it is not, and one that is goes on, once.
#[test]
fn a_process_killed_while_it_writes_its_state_leaves_a_run_that_goes_on_or_none() {
    let place = Place::new();
    let program = r#"
pipeline default(task) {
  let much = range(60000).map({ i -> "line ${i}" }).to_list()
  eprintln("ready")
  let r = request_approval("go on with ${len(much)} lines")
  println("went on with ${len(much)}: ${much[59999]}")
}
"#;
    place.file("program.harn", program);
    let mut gone_on = 0;
    for round in 0..8u64 {
        let mut child = place
            .command(&["run", "--suspend", "program.harn"])
            .stderr(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
        // The last round has all the time it needs.
        if round < 7 {
            std::thread::sleep(std::time::Duration::from_millis(round * 25));
            let _ = child.kill();
        }
        child.wait().unwrap();
        for listed in place.harn(&["resume", "--list"]).out().lines() {
            let run = listed.split(' ').next().unwrap();
            let request = listed.rsplit(' ').next().unwrap();
            assert_eq!(place.harn(&["hitl", "approve", request, "--reviewer", "operator"]).code(), Some(0));
            let output = place.harn(&["resume", run]);
            assert_eq!(output.out(), "went on with 60000: line 59999\n", "{}", output.err());
            gone_on += 1;
        }
        assert_eq!(place.harn(&["resume", "--list"]).out(), "");
    }
    assert!(gone_on > 0);
}
