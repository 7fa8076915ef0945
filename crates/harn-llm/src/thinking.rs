//! The many spellings of `thinking`, and what they mean (spec 07 section 1.8).

use harn_effect::Data;

/// How much the model is asked to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Thinking {
    /// Not at all, or as the provider likes.
    #[default]
    Disabled,
    /// With a budget of tokens.
    Enabled {
        /// Tokens, when given.
        budget_tokens: Option<i64>,
    },
    /// As much as the model finds right.
    Adaptive,
    /// With an effort.
    Effort(Level),
}

/// An effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

impl Level {
    /// `low`, `medium` or `high`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Low => "low",
            Level::Medium => "medium",
            Level::High => "high",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Level::Low, Level::Medium, Level::High].into_iter().find(|level| level.name() == name)
    }
}

impl Thinking {
    /// Reads `thinking` and `reasoning_effort`.
    pub fn read(thinking: &Data, reasoning_effort: &Data) -> Result<Self, String> {
        let asked = Self::from_option(thinking)?;
        if reasoning_effort.is_nil() {
            return Ok(asked);
        }
        if asked != Thinking::Disabled {
            return Err("reasoning_effort cannot be combined with a non-disabled thinking option".to_owned());
        }
        let level = reasoning_effort.as_str().and_then(Level::parse);
        level.map(Thinking::Effort).ok_or_else(|| {
            let got = reasoning_effort.as_str().unwrap_or(reasoning_effort.type_name());
            format!(r#"reasoning_effort: expected "low" | "medium" | "high", got "{got}""#)
        })
    }

    fn from_option(option: &Data) -> Result<Self, String> {
        match option {
            Data::Nil | Data::Bool(false) => Ok(Thinking::Disabled),
            Data::Bool(true) => Ok(Thinking::Enabled { budget_tokens: None }),
            Data::Str(word) => match word.as_str() {
                "disabled" | "off" | "none" => Ok(Thinking::Disabled),
                "enabled" | "on" => Ok(Thinking::Enabled { budget_tokens: None }),
                "adaptive" => Ok(Thinking::Adaptive),
                other => Level::parse(other).map(Thinking::Effort).ok_or_else(|| bad_mode(other)),
            },
            Data::Dict(_) => Self::from_dict(option),
            other => Err(bad_mode(other.type_name())),
        }
    }

    fn from_dict(option: &Data) -> Result<Self, String> {
        if option.field("enabled").as_bool() == Some(false) {
            return Ok(Thinking::Disabled);
        }
        let budget_tokens = match option.field("budget_tokens") {
            Data::Nil => None,
            Data::Int(n) if *n >= 0 => Some(*n),
            _ => return Err("thinking.budget_tokens: expected a non-negative int".to_owned()),
        };
        match option.field("mode") {
            Data::Nil => Ok(Thinking::Enabled { budget_tokens }),
            Data::Str(mode) => match mode.as_str() {
                "enabled" => Ok(Thinking::Enabled { budget_tokens }),
                "adaptive" => Ok(Thinking::Adaptive),
                "disabled" => Ok(Thinking::Disabled),
                "effort" => Self::effort(option.field("level")),
                other => Err(bad_mode(other)),
            },
            other => Err(bad_mode(other.type_name())),
        }
    }

    fn effort(level: &Data) -> Result<Self, String> {
        match level {
            Data::Nil => Err(r#"thinking.level is required when thinking.mode is "effort""#.to_owned()),
            level => {
                let name = level.as_str().unwrap_or(level.type_name());
                Level::parse(name).map(Thinking::Effort).ok_or_else(|| {
                    format!(r#"thinking.level: expected "low" | "medium" | "high", got "{name}""#)
                })
            }
        }
    }

    /// Whether the model is asked to think.
    pub fn is_on(self) -> bool {
        self != Thinking::Disabled
    }

    /// The normalised record of `llm_mock_calls`.
    pub fn to_data(self) -> Data {
        match self {
            Thinking::Disabled => Data::dict([("mode", Data::from("disabled"))]),
            Thinking::Enabled { budget_tokens } => {
                Data::dict([("mode", Data::from("enabled")), ("budget_tokens", budget_tokens.into())])
            }
            Thinking::Adaptive => Data::dict([("mode", Data::from("adaptive"))]),
            Thinking::Effort(level) => {
                Data::dict([("mode", Data::from("effort")), ("level", level.name().into())])
            }
        }
    }
}

fn bad_mode(got: &str) -> String {
    format!(r#"thinking.mode: expected "disabled" | "enabled" | "adaptive" | "effort", got "{got}""#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_ends_in_one_record() {
        let of = |data: Data| Thinking::read(&data, &Data::Nil);
        assert_eq!(of(true.into()), Ok(Thinking::Enabled { budget_tokens: None }));
        assert_eq!(of("high".into()), Ok(Thinking::Effort(Level::High)));
        assert_eq!(of(Data::dict([("enabled", Data::Bool(false))])), Ok(Thinking::Disabled));
        assert_eq!(
            of(Data::dict([("budget_tokens", Data::Int(512))])),
            Ok(Thinking::Enabled { budget_tokens: Some(512) })
        );
    }

    #[test]
    fn wrong_spellings_say_what_is_expected() {
        let effort = Data::dict([("mode", Data::from("effort"))]);
        insta::assert_snapshot!(
            Thinking::read(&effort, &Data::Nil).unwrap_err(),
            @r#"thinking.level is required when thinking.mode is "effort""#
        );
        insta::assert_snapshot!(
            Thinking::read(&Data::dict([("mode", Data::from("deep"))]), &Data::Nil).unwrap_err(),
            @r#"thinking.mode: expected "disabled" | "enabled" | "adaptive" | "effort", got "deep""#
        );
        insta::assert_snapshot!(
            Thinking::read(&true.into(), &"low".into()).unwrap_err(),
            @"reasoning_effort cannot be combined with a non-disabled thinking option"
        );
    }
}
