//! A shop that lets an agent pay refunds, by its own function, under a budget of two decisions an hour.
//!
//!     cargo run -p harn-embed --example refund_desk

use harn_embed::{Data, EffectClass, Engine, Outcome};
use std::path::Path;
use std::time::Duration;

/// What the agent does is written in Harn: whoever audits it reads this and not the shop.
const AGENT: &str = r#"
tool refund(order: string, cents: int) -> string {
  description "Pay money back for an order."
  return host_call("payments.refund", {order: order, cents: cents})
}

pipeline main(task) {
  for order in ["A-1", "A-2", "A-3"] {
    let run = agent_loop("Refund 500 cents of order ${order}.", "Use the tool once.", {
      provider: "mock",
      tools: refund,
      persistent: true,
      autonomy_budget: {per_hour: 2, key: "refund-desk"},
    })
    println("${order}: ${run.status} ${run.visible_text ?? ""}")
  }
}
"#;

/// Stands for a model, so that the example needs no key. Without `scripted_models` the provider named in the program is asked.
fn replies() -> String {
    let order = |id: &str| {
        format!(
            "{{\"text\": \"<tool_call>\\nrefund({{ order: '{id}', cents: 500 }})\\n</tool_call>\"}}\n\
             {{\"text\": \"<user_response>Paid.</user_response>\\n<done>##DONE##</done>\"}}\n"
        )
    };
    order("A-1") + &order("A-2")
}

fn main() -> std::io::Result<()> {
    let state = std::env::temp_dir().join(format!("refund-desk-{}", std::process::id()));
    let engine = Engine::new()
        .state_in(&state)
        .scripted_models(&replies())
        .forbid(EffectClass::Process)
        .forbid(EffectClass::Network)
        .time_limit(Duration::from_secs(60))
        .on_output(|text| print!("{text}"))
        .operation("payments.refund", "Pays money back", |params| {
            let order = params.field("order").as_str().ok_or("no order")?;
            let cents = params.field("cents").as_int().filter(|cents| (1..=1_000).contains(cents));
            let cents = cents.ok_or("at most 10.00 without a person")?;
            println!("    the shop pays {cents} cents for {order}");
            Ok(Data::from("paid"))
        });
    let report = engine.run("refund_desk.harn", AGENT)?;
    match &report.outcome {
        Outcome::Finished(_) => println!("the record of {} is in {}", report.run_id, shown(&state)),
        other => println!("{other:?}\n{}", report.errors),
    }
    Ok(())
}

fn shown(path: &Path) -> String {
    path.join("events.sqlite").display().to_string()
}
