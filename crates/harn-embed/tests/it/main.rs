//! What an embedding program can rely on.

use harn_embed::{Data, EffectClass, Engine, Outcome};
use std::sync::mpsc::channel;
use std::time::Duration;

fn engine() -> Engine {
    Engine::new().in_memory().threads(1)
}

fn main_of(body: &str) -> String {
    format!("pipeline main(task) {{\n{body}\n}}\n")
}

#[test]
fn the_value_and_the_output_of_a_program_come_back() {
    let report = engine().run("sum.harn", &main_of("println(\"adding\")\nreturn [1, 2].sum()")).unwrap();
    assert_eq!(report.output, "adding\n");
    assert_eq!(report.outcome, Outcome::Finished(Data::Int(3)));
    assert_eq!(report.errors, "");
}

#[test]
fn an_operation_gets_its_params_and_its_error_is_thrown() {
    let engine = engine().operation("ledger.post", "Books an amount", |params| {
        match params.field("amount").as_int() {
            Some(amount) if amount > 0 => Ok(Data::Int(amount * 100)),
            _ => Err("the amount must be positive".to_owned()),
        }
    });
    let program = main_of(
        r#"let bad = try { host_call("ledger.post", {amount: 0}) }
           return [host_call("ledger.post", {amount: 7}), unwrap_err(bad)]"#,
    );
    let wanted = Data::List(vec![Data::Int(700), Data::from("the amount must be positive")]);
    assert_eq!(engine.run("post.harn", &program).unwrap().outcome, Outcome::Finished(wanted));
}

#[test]
fn a_program_sees_what_the_host_offers() {
    let schema = Data::dict([("type", Data::from("object"))]);
    let engine = engine().operation("ledger.post", "Books an amount", |_| Ok(Data::Nil)).tool(
        "shout",
        "Makes text loud",
        schema,
        |args| Ok(Data::from(args.field("text").as_str().unwrap_or_default().to_uppercase().as_str())),
    );
    let program = main_of(
        r#"return [
             host_has("ledger", "post"), host_has("ledger", "burn"),
             host_capabilities().ledger.operations.post.description,
             host_tool_list().map({ offered -> offered.name }), host_tool_call("shout", {text: "hey"}),
             unwrap_err(try { host_tool_call("whisper") }),
           ]"#,
    );
    let wanted = Data::List(vec![
        Data::Bool(true),
        Data::Bool(false),
        Data::from("Books an amount"),
        Data::List(vec![Data::from("shout")]),
        Data::from("HEY"),
        Data::from("host_tool_call: the host has no tool 'whisper'"),
    ]);
    let report = engine.run("offers.harn", &program).unwrap();
    assert_eq!(report.outcome, Outcome::Finished(wanted), "{}", report.errors);
}

#[test]
fn mocks_of_a_program_stand_before_the_host() {
    let engine = engine().operation("clock.zone", "", |_| Ok(Data::from("host")));
    let program = main_of("host_mock(\"clock\", \"zone\", \"mock\")\nreturn host_call(\"clock.zone\")");
    assert_eq!(engine.run("mock.harn", &program).unwrap().outcome, Outcome::Finished(Data::from("mock")));
}

#[test]
fn other_tasks_go_on_while_the_host_works() {
    let (release, released) = channel::<()>();
    let released = std::sync::Mutex::new(released);
    let engine = engine()
        .operation("gate.wait", "", move |_| {
            released.lock().unwrap().recv().map(|()| Data::from("open")).map_err(|error| error.to_string())
        })
        .operation("gate.open", "", move |_| {
            release.send(()).map(|()| Data::Nil).map_err(|error| error.to_string())
        });
    let program = main_of(
        "let waits = spawn { host_call(\"gate.wait\") }\nhost_call(\"gate.open\")\nreturn await(waits)",
    );
    assert_eq!(engine.run("gate.harn", &program).unwrap().outcome, Outcome::Finished(Data::from("open")));
}

#[test]
fn a_host_that_panics_is_an_error_of_the_program() {
    let engine = engine().operation("host.fail", "", |_| panic!("on purpose"));
    let report = engine.run("panic.harn", &main_of("return host_call(\"host.fail\")")).unwrap();
    assert_eq!(report.outcome, Outcome::Failed("Thrown: the host panicked during this call".to_owned()));
}

#[test]
fn the_result_is_what_the_program_hands_over() {
    let report = engine().run("r.harn", &main_of("host_call(\"runtime.set_result\", {score: 3})")).unwrap();
    assert_eq!(report.result, Some(Data::dict([("score", Data::Int(3))])));
}

#[test]
fn a_refused_program_shows_why() {
    let report = engine().run("typo.harn", &main_of("prinln(1)")).unwrap();
    assert_eq!(report.outcome, Outcome::Refused);
    assert!(report.errors.contains("typo.harn:2:1"), "{}", report.errors);
    assert!(report.errors.contains("println"), "{}", report.errors);
}

#[test]
fn an_uncaught_error_comes_with_its_place() {
    let report = engine().run("fail.harn", &main_of("throw \"no\"")).unwrap();
    assert_eq!(report.outcome, Outcome::Failed("Thrown: no".to_owned()));
    assert!(report.errors.contains("--> fail.harn:2:1"), "{}", report.errors);
}

#[test]
fn what_is_forbidden_stays_forbidden_and_the_host_stays_reachable() {
    let engine = engine().forbid(EffectClass::Process).operation("own.call", "", |_| Ok(Data::Int(1)));
    let program = main_of("return [is_err(try { exec(\"true\") }), host_call(\"own.call\")]");
    let wanted = Data::List(vec![Data::Bool(true), Data::Int(1)]);
    assert_eq!(engine.run("forbid.harn", &program).unwrap().outcome, Outcome::Finished(wanted));
}

#[test]
fn a_denied_builtin_is_refused_where_it_is_named() {
    let report =
        engine().deny_builtin("write_file").run("w.harn", &main_of("write_file(\"a\", \"b\")")).unwrap();
    let Outcome::Failed(text) = &report.outcome else { panic!("{:?}", report.outcome) };
    assert!(text.contains("write_file"), "{text}");
}

#[test]
fn a_loop_that_never_ends_is_ended_by_the_time_limit() {
    let engine = engine().time_limit(Duration::from_millis(50));
    let report = engine.run("loop.harn", &main_of("while true { }")).unwrap();
    assert_eq!(report.outcome, Outcome::Failed("Thrown: timed out after 50ms".to_owned()));
}

#[test]
fn a_running_program_can_be_stopped() {
    let (printed, prints) = channel();
    let engine = engine().on_output(move |text| {
        let _ = printed.send(text.to_owned());
    });
    let running = engine.start("sleep.harn", &main_of("println(\"up\")\nsleep(1h)")).unwrap();
    assert_eq!(prints.recv().unwrap(), "up\n");
    running.stopper().stop();
    assert_eq!(running.wait().unwrap().outcome, Outcome::Stopped);
}

#[test]
fn models_can_be_scripted_and_budgets_last_in_the_state_directory() {
    let state = tempfile::tempdir().unwrap();
    let engine =
        Engine::new().state_in(state.path()).scripted_models("{\"text\": \"first\"}\n{\"text\": \"second\"}");
    let program = main_of(
        r#"let run = agent_loop("hello", "Be brief.", {provider: "mock",
             autonomy_budget: {per_hour: 1, key: "desk"}})
           return [run.status, run.visible_text]"#,
    );
    let first = engine.run("desk.harn", &program).unwrap();
    let wanted = Data::List(vec![Data::from("done"), Data::from("first")]);
    assert_eq!(first.outcome, Outcome::Finished(wanted), "{}", first.errors);
    let second = engine.run("desk.harn", &program).unwrap();
    let held = Data::List(vec![Data::from("approval_required"), Data::Nil]);
    assert_eq!(second.outcome, Outcome::Finished(held), "{}", second.errors);
}

#[test]
fn environment_variables_can_be_set_for_a_program() {
    let report = engine().variable("DESK", "north").run("e.harn", &main_of("return env(\"DESK\")")).unwrap();
    assert_eq!(report.outcome, Outcome::Finished(Data::from("north")));
}
