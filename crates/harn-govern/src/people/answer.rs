//! The answer of `ask_user` in the type of its default (spec 08 section 4.1).

use harn_effect::Data;

/// The answer converted to the type of `default`; the default itself when it is of no use. `display` is the answer's
/// display form.
pub fn convert(answer: Data, default: &Data, display: &str) -> Data {
    let converted = match (default, &answer) {
        (Data::Nil, _) => Some(answer.clone()),
        (Data::Int(_), Data::Int(_)) => Some(answer.clone()),
        (Data::Int(_), Data::Float(x)) if x.is_finite() => Some(Data::Int(*x as i64)),
        (Data::Int(_), Data::Str(text)) => text.trim().parse().ok().map(Data::Int),
        (Data::Float(_), Data::Float(_)) => Some(answer.clone()),
        (Data::Float(_), Data::Int(n)) => Some(Data::Float(*n as f64)),
        (Data::Float(_), Data::Str(text)) => text.trim().parse().ok().map(Data::Float),
        (Data::Bool(_), Data::Bool(_)) => Some(answer.clone()),
        (Data::Bool(_), Data::Str(text)) => match text.to_lowercase().as_str() {
            "true" => Some(Data::Bool(true)),
            "false" => Some(Data::Bool(false)),
            _ => None,
        },
        (Data::Str(_), _) => Some(Data::Str(display.to_owned())),
        (Data::Duration(_), Data::Duration(_)) => Some(answer.clone()),
        (Data::Duration(_), Data::Int(ms)) => Some(Data::Duration(*ms)),
        (Data::Int(_) | Data::Float(_) | Data::Bool(_) | Data::Duration(_), _) => None,
        (other, _) if other.type_name() == answer.type_name() => Some(answer.clone()),
        _ => None,
    };
    converted.unwrap_or_else(|| default.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_decides_the_type() {
        let int = |answer: Data| convert(answer, &Data::Int(1), "");
        assert_eq!(int("42".into()), Data::Int(42));
        assert_eq!(int(Data::Float(3.9)), Data::Int(3));
        assert_eq!(int("many".into()), Data::Int(1));
        assert_eq!(int(Data::Bool(true)), Data::Int(1));
        assert_eq!(convert("TRUE".into(), &Data::Bool(false), ""), Data::Bool(true));
        assert_eq!(convert(Data::Int(7), &"seven".into(), "7"), "7".into());
        assert_eq!(convert(Data::Int(250), &Data::Duration(5000), ""), Data::Duration(250));
        assert_eq!(convert(Data::Int(250), &Data::List(vec![]), ""), Data::List(vec![]));
        assert_eq!(convert(Data::Int(250), &Data::Nil, ""), Data::Int(250));
    }
}
