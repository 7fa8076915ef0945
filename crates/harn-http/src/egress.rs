//! Which hosts a program may reach (spec 06 section 12): rules by name, suffix, address or network, with ports.

use std::net::IpAddr;

use harn_effect::Data;
use url::{Host, Url};

use crate::redact;

/// What applies to a host that no rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be reached.
    Allow,
    /// It may not.
    Deny,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Deny => "deny",
        }
    }

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "allow" => Ok(Verdict::Allow),
            "deny" => Ok(Verdict::Deny),
            other => Err(format!("egress_policy: default must be `allow` or `deny`, got `{other}`")),
        }
    }
}

/// One rule as written and as read.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    text: String,
    host: Pattern,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq)]
enum Pattern {
    Name(String),
    /// `*.suffix`: its subdomains only.
    Below(String),
    Network(IpAddr, u8),
}

/// The rules in force. A denial beats a permission, a permission beats the default.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// `stdlib` or `environment`.
    pub source: &'static str,
    default: Verdict,
    allow: Vec<Rule>,
    deny: Vec<Rule>,
}

impl Policy {
    /// The policy of a config dict `{allow?, deny?, default?}`.
    ///
    /// Errors: a config of another shape, a rule that cannot be read.
    pub fn read(config: &Data) -> Result<Policy, String> {
        if !matches!(config, Data::Dict(_)) {
            return Err("egress_policy: requires a config dict".to_owned());
        }
        let default = match config.field("default") {
            Data::Nil => Verdict::Allow,
            Data::Str(text) => Verdict::read(text)?,
            other => {
                return Err(format!(
                    "egress_policy: default must be `allow` or `deny`, got `{}`",
                    other.type_name()
                ));
            }
        };
        Ok(Policy {
            source: "stdlib",
            default,
            allow: rules(config.field("allow"), "allow")?,
            deny: rules(config.field("deny"), "deny")?,
        })
    }

    /// The policy of `HARN_EGRESS_ALLOW`, `_DENY` and `_DEFAULT`, if one of them is set.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Policy>, String> {
        let set = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        let (allow, deny) = (set("HARN_EGRESS_ALLOW"), set("HARN_EGRESS_DENY"));
        let default = set("HARN_EGRESS_DEFAULT");
        if allow.is_none() && deny.is_none() && default.is_none() {
            return Ok(None);
        }
        let list = |text: Option<String>| -> Result<Vec<Rule>, String> {
            let text = text.unwrap_or_default();
            text.split([',', ';', '\n']).map(str::trim).filter(|rule| !rule.is_empty()).map(rule).collect()
        };
        Ok(Some(Policy {
            source: "environment",
            default: default.map_or(Ok(Verdict::Allow), |text| Verdict::read(text.trim()))?,
            allow: list(allow)?,
            deny: list(deny)?,
        }))
    }

    /// What `egress_policy` returns: `{configured, source, default, allow, deny}`.
    pub fn to_data(&self) -> Data {
        let texts = |rules: &[Rule]| Data::List(rules.iter().map(|r| r.text.as_str().into()).collect());
        Data::dict([
            ("configured", Data::Bool(true)),
            ("source", self.source.into()),
            ("default", self.default.name().into()),
            ("allow", texts(&self.allow)),
            ("deny", texts(&self.deny)),
        ])
    }

    /// Whether a URL may be reached; the error says which rule forbids it. A text that is no URL with a host is none of
    /// this policy's business.
    pub fn check(&self, url: &str) -> Result<(), Blocked> {
        let Ok(parsed) = Url::parse(url) else { return Ok(()) };
        let (Some(host), Some(port)) = (parsed.host(), parsed.port_or_known_default()) else { return Ok(()) };
        let name = match &host {
            Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let address: Option<IpAddr> = name.parse().ok();
        let named = |rules: &[Rule]| rules.iter().find(|r| r.names(&name, address, port)).cloned();
        let reason = match (named(&self.deny), named(&self.allow)) {
            (Some(rule), _) => format!("matched deny rule `{}`", rule.text),
            (None, None) if self.default == Verdict::Deny => "no allow rule matched".to_owned(),
            _ => return Ok(()),
        };
        Err(Blocked { url: redact::url(url), host: name, port, reason })
    }

    /// Whether an address that a name resolved to may be connected to: rules by address bind names too.
    pub fn check_address(&self, address: IpAddr, port: u16) -> Result<(), String> {
        let by_address = |rule: &&Rule| matches!(rule.host, Pattern::Network(..));
        match self.deny.iter().filter(by_address).find(|r| r.names("", Some(address), port)) {
            Some(rule) => Err(format!("matched deny rule `{}`", rule.text)),
            None => Ok(()),
        }
    }

    /// The deny rules that name addresses, for the host that resolves names.
    pub fn denied_networks(&self) -> Data {
        let texts = self.deny.iter().filter(|rule| matches!(rule.host, Pattern::Network(..)));
        Data::List(texts.map(|rule| rule.text.as_str().into()).collect())
    }

    /// A policy of deny rules alone, as [`Policy::denied_networks`] gives them.
    pub fn denying(rules: &Data) -> Policy {
        let deny =
            rules.as_list().unwrap_or_default().iter().filter_map(|r| rule(r.as_str()?).ok()).collect();
        Policy { source: "stdlib", default: Verdict::Allow, allow: Vec::new(), deny }
    }
}

/// A request that the policy refuses.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocked {
    /// The URL, its secrets hidden.
    pub url: String,
    /// Its host.
    pub host: String,
    /// Its port, of the scheme when not given.
    pub port: u16,
    /// Which rule, or that none allows it.
    pub reason: String,
}

impl Blocked {
    /// The dict that the program catches.
    pub fn thrown(&self, surface: &str) -> Data {
        Data::dict([
            ("type", "EgressBlocked".into()),
            ("category", "egress_blocked".into()),
            (
                "message",
                format!("{surface}: egress to {}:{} blocked: {}", self.host, self.port, self.reason).into(),
            ),
            ("surface", surface.into()),
            ("url", self.url.as_str().into()),
            ("host", self.host.as_str().into()),
            ("port", i64::from(self.port).into()),
            ("reason", self.reason.as_str().into()),
        ])
    }
}

impl Rule {
    fn names(&self, name: &str, address: Option<IpAddr>, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
            && match &self.host {
                Pattern::Name(own) => own == name,
                Pattern::Below(suffix) => name
                    .strip_suffix(suffix.as_str())
                    .is_some_and(|front| front.len() > 1 && front.ends_with('.')),
                Pattern::Network(network, bits) => address.is_some_and(|a| contains(*network, *bits, a)),
            }
    }
}

fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let as_v4 = |address: IpAddr| match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        v4 => v4,
    };
    let head = |value: u128, width: u32| value.checked_shr(width - u32::from(bits)).unwrap_or(0);
    match (network, as_v4(address)) {
        (IpAddr::V4(a), IpAddr::V4(b)) => head(u32::from(a).into(), 32) == head(u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => head(a.into(), 128) == head(b.into(), 128),
        _ => false,
    }
}

fn rules(list: &Data, name: &str) -> Result<Vec<Rule>, String> {
    match list {
        Data::Nil => Ok(Vec::new()),
        Data::List(items) => items
            .iter()
            .map(|item| match item {
                Data::Str(text) => rule(text),
                other => Err(format!("egress_policy: a rule must be a string, got {}", other.type_name())),
            })
            .collect(),
        _ => Err(format!("egress_policy: {name} must be a list")),
    }
}

fn rule(text: &str) -> Result<Rule, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("egress_policy: empty egress rule".to_owned());
    }
    let (host, port) = split_port(text)?;
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let pattern = if let Some((address, bits)) = host.split_once('/') {
        network(address, bits).map_err(|why| format!("egress_policy: invalid CIDR rule `{text}`: {why}"))?
    } else if let Ok(address) = host.parse::<IpAddr>() {
        Pattern::Network(address, if address.is_ipv4() { 32 } else { 128 })
    } else if let Some(suffix) = host.strip_prefix("*.") {
        Pattern::Below(suffix.to_owned())
    } else {
        Pattern::Name(host)
    };
    Ok(Rule { text: text.to_owned(), host: pattern, port })
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`, or a bare IPv6 address.
fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
    let read = |port: &str| {
        port.parse::<u16>().map(Some).map_err(|_| format!("egress_policy: invalid port in `{text}`: {port}"))
    };
    if let Some(rest) = text.strip_prefix('[')
        && let Some((address, after)) = rest.split_once(']')
    {
        return Ok((address, if after.is_empty() { None } else { read(after.trim_start_matches(':'))? }));
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => Ok((host, read(port)?)),
        _ => Ok((text, None)),
    }
}

fn network(address: &str, bits: &str) -> Result<Pattern, String> {
    let address: IpAddr = address.parse().map_err(|_| format!("`{address}` is no IP address"))?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    match bits.parse::<u8>() {
        Ok(bits) if bits <= most => Ok(Pattern::Network(address, bits)),
        _ => Err(format!("the prefix length must be 0 to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &[&str], deny: &[&str], default: &str) -> Policy {
        let list = |rules: &[&str]| Data::List(rules.iter().map(|r| Data::from(*r)).collect());
        Policy::read(&Data::dict([("allow", list(allow)), ("deny", list(deny)), ("default", default.into())]))
            .unwrap()
    }

    #[test]
    fn a_denial_beats_a_permission_and_a_permission_the_default() {
        let policy = policy(&["*.example.com"], &["bad.example.com"], "deny");
        assert_eq!(policy.check("https://api.example.com/"), Ok(()));
        assert_eq!(
            policy.check("https://bad.example.com/").unwrap_err().reason,
            "matched deny rule `bad.example.com`"
        );
        assert_eq!(policy.check("https://example.com/").unwrap_err().reason, "no allow rule matched");
        assert_eq!(policy.check("https://evilexample.com/").unwrap_err().reason, "no allow rule matched");
    }

    #[test]
    fn a_port_narrows_a_rule_and_default_ports_count() {
        let policy = policy(&["a.test:443"], &[], "deny");
        assert!(policy.check("https://A.test/").is_ok());
        assert!(policy.check("http://a.test/").is_err());
    }

    #[test]
    fn networks_hold_addresses_of_both_families_and_what_names_resolve_to() {
        let policy = policy(&[], &["169.254.0.0/16", "[fd00::1]:80"], "allow");
        assert!(policy.check("http://169.254.169.254/latest").is_err());
        assert!(policy.check("http://[fd00::1]/").is_err() && policy.check("https://[fd00::1]/").is_ok());
        assert!(policy.check_address("169.254.1.1".parse().unwrap(), 80).is_err());
        assert!(policy.check_address("::ffff:169.254.1.1".parse().unwrap(), 80).is_err());
    }

    #[test]
    fn rules_that_cannot_be_read_are_named() {
        let read =
            |rule: &str| Policy::read(&Data::dict([("allow", Data::List(vec![rule.into()]))])).unwrap_err();
        assert_eq!(read(" "), "egress_policy: empty egress rule");
        assert_eq!(read("a:b"), "egress_policy: invalid port in `a:b`: b");
        assert!(read("10.0.0.0/99").starts_with("egress_policy: invalid CIDR rule `10.0.0.0/99`: "));
    }

    #[test]
    fn the_environment_seeds_a_policy() {
        let variables = |name: &str| (name == "HARN_EGRESS_ALLOW").then(|| "a.test; b.test".to_owned());
        let policy = Policy::from_environment(&variables).unwrap().unwrap();
        assert_eq!(policy.to_data().field("allow").as_list().map(<[Data]>::len), Some(2));
        assert_eq!(Policy::from_environment(&|_| None), Ok(None));
    }
}
