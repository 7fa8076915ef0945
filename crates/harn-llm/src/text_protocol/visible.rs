//! What a person should see of a reply (spec 07 section 4.6).

/// Removes `<think>...</think>` pieces, an unterminated one to the end of the text, and stray think tags.
pub fn strip_thinking(text: &str) -> String {
    let mut out = cut(text, "<think>", "</think>", Unterminated::ToEnd);
    if out.contains("</think>") {
        out = out.replace("</think>", "");
    }
    out
}

/// The text without calls, markers, results and thinking.
pub fn visible_text(text: &str) -> String {
    let mut out = strip_thinking(text);
    for (open, close) in
        [("<tool_call>", "</tool_call>"), ("<|tool_call|>", "<|/tool_call|>"), ("<done>", "</done>")]
    {
        out = cut(&out, open, close, Unterminated::ToEnd);
    }
    out = cut(&out, "<tool_result", "</tool_result>", Unterminated::Keep);
    out = cut_results(&out);
    if let Some(response) = bodies(&out, "user_response").or_else(|| bodies(&out, "assistant_prose")) {
        out = response;
    }
    let kept: Vec<&str> =
        out.lines().filter(|line| !matches!(line.trim(), "##DONE##" | "DONE" | "PLAN_READY")).collect();
    let text = kept.join("\n").trim().to_owned();
    if is_planner_json(&text) { String::new() } else { text }
}

/// What to do with an opening tag that is never closed.
#[derive(Clone, Copy)]
enum Unterminated {
    ToEnd,
    Keep,
}

fn cut(text: &str, open: &str, close: &str, unterminated: Unterminated) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        out.push_str(before);
        match (after.split_once(close), unterminated) {
            (Some((_, tail)), _) => rest = tail,
            (None, Unterminated::ToEnd) => return out,
            (None, Unterminated::Keep) => {
                out.push_str(open);
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Removes `[result of X] ... [end of X result]` spans.
fn cut_results(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[result of ") {
        out.push_str(before);
        let name = after.split(']').next().unwrap_or("");
        match after.split_once(&format!("[end of {name} result]")) {
            Some((_, tail)) => rest = tail,
            None => {
                out.push_str("[result of ");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The bodies of all blocks of one tag, joined by a blank line; none when the tag does not appear.
fn bodies(text: &str, tag: &str) -> Option<String> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let found: Vec<&str> =
        text.split(&open).skip(1).map(|part| part.split(&close).next().unwrap_or(part).trim()).collect();
    (!found.is_empty()).then(|| found.join("\n\n"))
}

/// A planner's mode announcement is for the runtime, not for people.
fn is_planner_json(text: &str) -> bool {
    const MODES: [&str; 3] = ["fast_execute", "plan_then_execute", "ask_user"];
    text.starts_with('{')
        && serde_json::from_str::<serde_json::Value>(text)
            .ok()
            .and_then(|json| {
                json.get("mode").and_then(|mode| mode.as_str()).map(|mode| MODES.contains(&mode))
            })
            .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_thinking_and_markers_are_removed() {
        let text =
            "<think>hm</think>Hello\n<tool_call>\nlook({})\n</tool_call>\n##DONE##\n<done>##DONE##</done>";
        assert_eq!(visible_text(text), "Hello");
    }

    #[test]
    fn a_sentinel_inside_a_line_stays() {
        assert_eq!(visible_text("finished now ##DONE##"), "finished now ##DONE##");
    }

    #[test]
    fn the_user_response_is_kept_alone() {
        assert_eq!(
            visible_text("<assistant_prose>x</assistant_prose><user_response>A cat.</user_response>"),
            "A cat."
        );
    }

    #[test]
    fn unterminated_thinking_hides_the_rest() {
        assert_eq!(visible_text("Yes.<think>but maybe"), "Yes.");
    }

    #[test]
    fn result_spans_and_planner_json_are_removed() {
        assert_eq!(visible_text("a\n[result of x]\nsecret\n[end of x result]\nb"), "a\n\nb");
        assert_eq!(visible_text("{\"mode\": \"fast_execute\"}"), "");
    }
}
