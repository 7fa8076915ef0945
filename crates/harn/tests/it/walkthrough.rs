//! The afternoon of `docs/governance.md`, tried word for word: cap, run out, look, approve, kill, continue, verify, tamper,
//! found.

use crate::place::{Done, Place};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// The code blocks of the page in the given language, in order.
fn blocks(language: &str) -> Vec<String> {
    let page = include_str!("../../../../docs/governance.md");
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once(&format!("```{language}\n")) {
        let (block, after) = after.split_once("```").unwrap();
        found.push(block.to_owned());
        rest = after;
    }
    found
}

struct Desk(Place);

impl Desk {
    fn harn(&self, line: &str) -> Done {
        let args: Vec<String> = shell(line);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let config = self.0.dir.path().join("config");
        Done(self.0.command(&args).env("HARN_CONFIG_DIR", config).output().unwrap())
    }

    fn out(&self, line: &str) -> String {
        let done = self.harn(line);
        assert_eq!(done.code(), Some(0), "harn {line}: {}{}", done.out(), done.err());
        done.out()
    }

    /// The only request that waits.
    fn waiting(&self) -> String {
        let shown = self.out("autonomy status");
        let line = shown.lines().find(|line| line.contains("waits: ")).unwrap_or_else(|| panic!("{shown}"));
        line.trim().trim_start_matches("waits: ").to_owned()
    }
}

/// Words of a command line; double quotes hold words together.
fn shell(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn the_walk_through_of_the_page_holds() {
    let desk = Desk(Place::new());
    let place = &desk.0;
    place.file("desk.harn", &blocks("harn")[0]);
    let made = desk.out("identity new ada");
    let key = made.lines().find_map(|line| line.strip_prefix("public key: ")).unwrap();
    place.file("harn.toml", blocks("toml")[0].replace("ed25519:NKrNm4Yrcp...", key));

    // Let it run out.
    let run = || desk.out("run desk.harn");
    assert_eq!([run(), run(), run()], ["done\n", "done\n", "approval_required\n"]);
    let status = desk.out("autonomy status");
    assert!(status.contains("support/triage: 2 decisions this hour, 2 this day"), "{status}");
    assert!(status.contains("declared for 'support': at most 2 an hour"), "{status}");

    // Look at the request, and answer it.
    let request = desk.waiting();
    assert!(desk.out("hitl list").contains(&request));
    assert!(desk.out(&format!("hitl show {request}")).contains("support/triage"));
    let answered = desk.out(&format!("hitl approve {request} --reviewer ada --reason \"one more\""));
    assert!(answered.contains(&format!("settled {request} as ada")), "{answered}");
    assert_eq!([run(), run()], ["done\n", "approval_required\n"]);

    // A run that waits for the answer is killed; it is resumed once the answer is there.
    place.file(
        "careful.harn",
        r#"
pipeline main(task) {
  eprintln("asking")
  let r = request_approval("refund T-9", {reviewers: ["ada"]})
  println("refunded with the word of ${r.reviewers}")
}
"#,
    );
    let mut child = place.command(&["run", "careful.harn"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let suspended = (0..200).find_map(|_| {
        let listed = desk.out("resume --list");
        let found = listed.split_whitespace().next().map(str::to_owned);
        if found.is_none() {
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
        found
    });
    let suspended = suspended.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let listed = desk.out("resume --list");
    let request = listed.trim().rsplit(' ').next().unwrap();
    desk.out(&format!("hitl approve {request} --reviewer ada --reason \"he is right\""));
    assert_eq!(desk.out(&format!("resume {suspended}")), "refunded with the word of [ada]\n");

    // Prove what happened.
    let story = desk.out(&format!("trust explain {request}"));
    assert!(story.contains("ada") && story.contains("he is right"), "{story}");
    assert!(desk.out("trust anchor").contains("as ada"));
    let verified = desk.out("trust verify-chain");
    assert!(verified.starts_with("verified topic=trust_graph"), "{verified}");
    assert!(verified.contains("anchored by a known key"), "{verified}");
    desk.out("trust export -o chain.json");
    desk.out("trust verify-chain chain.json");
    desk.out("trust prove 1 -o proof.json");
    desk.out(&format!("trust check-proof proof.json --key {key}"));
    place.file("tighter.toml", blocks("toml").into_iter().find(|block| block.contains("support/*")).unwrap());
    let simulated = desk.out("autonomy simulate --budget tighter.toml --since 24h");
    assert!(simulated.starts_with("2 decisions replayed, 1 would have been refused"), "{simulated}");

    // Tamper, and it is found: with the statement of the page.
    let db = rusqlite::Connection::open(place.dir.path().join(".harn/events.sqlite")).unwrap();
    let changed = db.execute(
        "update events set payload = replace(cast(payload as text), 'denied', 'success')
            where topic = 'trust_graph' and event_id = 1",
        [],
    );
    assert_eq!(changed, Ok(1));
    drop(db);
    let found = desk.harn("trust verify-chain");
    assert_eq!(found.code(), Some(1));
    assert!(found.out().contains("broken_at_event_id=1"), "{}", found.out());
    assert!(found.out().contains("event 1: entry_hash mismatch"), "{}", found.out());
    assert!(found.out().contains("tree root mismatch"), "{}", found.out());
}
