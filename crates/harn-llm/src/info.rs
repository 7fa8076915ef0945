//! The answers of the information builtins (spec 07 sections 1.9.3, 16 and 17).

use harn_effect::Data;

use crate::capability;
use crate::catalog::{AuthStyle, Catalog, Provider, Resolved, Wish, model_tier};
use crate::environment::Environment;
use crate::pricing;

/// What a question is answered from.
#[derive(Clone, Copy)]
pub struct InfoCx<'a> {
    /// Providers and models.
    pub catalog: &'a Catalog,
    /// Variables.
    pub env: &'a Environment,
}

/// Answers the builtin `what` with its arguments; none for a builtin that is not one of these.
pub fn answer(what: &str, args: &[Data], cx: InfoCx<'_>) -> Option<Result<Data, String>> {
    let InfoCx { catalog, env } = cx;
    let text = |index: usize| args.get(index).and_then(Data::as_str).unwrap_or_default();
    let int = |index: usize| args.get(index).and_then(Data::as_int).unwrap_or(0);
    Some(Ok(match what {
        "llm_infer_provider" => catalog.infer(env, text(0)).into(),
        "llm_model_tier" => model_tier(&catalog.resolve(env, text(0)).id).into(),
        "llm_resolve_model" => resolved(catalog, &catalog.resolve(env, text(0))),
        "llm_model_info" => model_info(text(0), cx),
        "llm_pick_model" => pick_model(text(0), args.get(1).unwrap_or(&Data::Nil), cx),
        "llm_providers" => names(catalog.providers.keys()),
        "llm_available_providers" => {
            names(catalog.providers.iter().filter(|(_, one)| one.available(env)).map(|(name, _)| name))
        }
        "llm_known_models" => known_models(catalog),
        "llm_config" => match args.first() {
            None | Some(Data::Nil) => {
                Data::dict(catalog.providers.iter().map(|(name, one)| (name.clone(), config(one, env))))
            }
            Some(_) => catalog.providers.get(text(0)).map_or(Data::Nil, |one| config(one, env)),
        },
        "llm_provider_catalog" => whole_catalog(catalog, env),
        "llm_qc_default_model" => env.get("BURIN_QC_MODEL").map(str::to_owned).into(),
        "llm_info" => info(cx),
        "llm_cost" => {
            let model = text(0);
            let provider = catalog.infer(env, model);
            pricing::cost(pricing::rates(catalog, &provider, model), int(1), int(2)).into()
        }
        "provider_capabilities" => capability::lookup(text(0), text(1)).to_data(text(0), text(1)),
        _ => return None,
    }))
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> Data {
    Data::List(names.map(|name| name.clone().into()).collect())
}

fn known_models(catalog: &Catalog) -> Data {
    let mut ids: Vec<&String> = catalog.models.keys().collect();
    ids.extend(catalog.aliases.values().map(|alias| &alias.id));
    ids.sort();
    ids.dedup();
    names(ids.into_iter())
}

fn resolved(catalog: &Catalog, model: &Resolved) -> Data {
    Data::dict([
        ("id", Data::from(model.id.clone())),
        ("provider", model.provider.clone().into()),
        ("alias", model.alias.clone().into()),
        ("tool_format", catalog.tool_format(model).into()),
        ("tier", model_tier(&model.id).into()),
    ])
}

fn model_info(selector: &str, cx: InfoCx<'_>) -> Data {
    let model = cx.catalog.resolve(cx.env, selector);
    let mut info = resolved(cx.catalog, &model);
    if let Data::Dict(fields) = &mut info {
        let can = capability::lookup(&model.provider, &model.id);
        fields.insert("capabilities".to_owned(), can.to_data(&model.provider, &model.id));
        let entry = cx.catalog.models.get(&model.id).map_or(Data::Nil, |entry| entry.raw.clone());
        fields.insert("catalog".to_owned(), entry);
        fields.insert("qc_default_model".to_owned(), cx.env.get("BURIN_QC_MODEL").map(str::to_owned).into());
        fields.insert("auth_available".to_owned(), cx.catalog.available(cx.env, &model.provider).into());
    }
    info
}

fn pick_model(target: &str, options: &Data, cx: InfoCx<'_>) -> Data {
    let provider = options.field("provider").as_str();
    let model = match cx.catalog.tier(cx.env, target, provider) {
        Some(model) => model,
        None => {
            let mut model = cx.catalog.resolve(cx.env, target);
            if let Some(provider) = provider {
                model.provider = provider.to_owned();
            }
            model
        }
    };
    Data::dict([
        ("id", Data::from(model.id.clone())),
        ("provider", model.provider.clone().into()),
        ("tier", model_tier(&model.id).into()),
    ])
}

/// A provider's configuration: names of key variables, never a key.
fn config(provider: &Provider, env: &Environment) -> Data {
    let (style, header) = match &provider.auth_style {
        AuthStyle::Bearer => ("bearer", None),
        AuthStyle::Header(name) => ("header", Some(name.clone())),
        AuthStyle::None => ("none", None),
    };
    let mut fields = vec![
        ("base_url", Data::from(provider.base(env))),
        ("auth_style", style.into()),
        ("auth_envs", provider.auth_env.clone().into()),
        ("auth_available", provider.available(env).into()),
        ("chat_endpoint", provider.chat_endpoint.clone().into()),
        ("features", provider.features.clone().into()),
    ];
    let optional: [(&str, Data); 6] = [
        ("auth_header", header.into()),
        ("completion_endpoint", provider.completion_endpoint.clone().into()),
        ("rpm", provider.rpm.into()),
        ("cost_per_1k_in", provider.cost_per_1k_in.into()),
        ("cost_per_1k_out", provider.cost_per_1k_out.into()),
        ("latency_p50_ms", provider.latency_p50_ms.into()),
    ];
    fields.extend(optional.into_iter().filter(|(_, value)| !value.is_nil()));
    if !provider.extra_headers.is_empty() {
        let headers =
            provider.extra_headers.iter().map(|(name, value)| (name.clone(), Data::from(value.clone())));
        fields.push(("extra_headers", Data::dict(headers)));
    }
    Data::dict(fields)
}

fn whole_catalog(catalog: &Catalog, env: &Environment) -> Data {
    let aliases = catalog.aliases.iter().map(|(name, alias)| {
        let fields = [
            ("id", Data::from(alias.id.clone())),
            ("provider", alias.provider.clone().into()),
            ("tool_format", alias.tool_format.clone().into()),
        ];
        (name.clone(), Data::dict(fields))
    });
    let models = catalog.models.iter().map(|(id, entry)| (id.clone(), entry.raw.clone()));
    let pricing = catalog.aliases.values().filter_map(|alias| {
        let rates = pricing::rates(catalog, &alias.provider, &alias.id)?;
        let fields = [("input", Data::from(rates.input)), ("output", rates.output.into())];
        Some((alias.id.clone(), Data::dict(fields)))
    });
    Data::dict([
        (
            "providers",
            Data::dict(catalog.providers.iter().map(|(name, one)| (name.clone(), config(one, env)))),
        ),
        ("aliases", Data::dict(aliases)),
        ("models", Data::dict(models)),
        ("pricing", Data::dict(pricing)),
        ("defaults", Data::dict([("provider", Data::from(catalog.default_provider(env)))])),
    ])
}

fn info(cx: InfoCx<'_>) -> Data {
    let chosen = cx.catalog.choose(cx.env, Wish::default());
    Data::dict([
        ("api_key_set", Data::from(cx.catalog.available(cx.env, &chosen.provider))),
        ("provider", chosen.provider.into()),
        ("model", chosen.id.into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_names_key_variables_and_holds_no_key() {
        let catalog = Catalog::builtin();
        let env =
            Environment::read(&catalog, |name| (name == "OPENAI_API_KEY").then(|| "sk-secret".to_owned()));
        let cx = InfoCx { catalog: &catalog, env: &env };
        let all = answer("llm_config", &[], cx).unwrap().unwrap().to_json().to_string();
        assert!(all.contains("OPENAI_API_KEY") && !all.contains("sk-secret"));
        let one = answer("llm_config", &["openai".into()], cx).unwrap().unwrap();
        assert_eq!(one.field("auth_available"), &Data::Bool(true));
        assert!(answer("llm_config", &["nobody".into()], cx).unwrap().unwrap().is_nil());
    }

    #[test]
    fn unknown_models_are_free() {
        let (catalog, env) = (Catalog::builtin(), Environment::default());
        let cx = InfoCx { catalog: &catalog, env: &env };
        assert_eq!(
            answer("llm_cost", &["nobody-1".into(), 1000.into(), 1000.into()], cx),
            Some(Ok(Data::Float(0.0)))
        );
        assert_eq!(
            answer("llm_cost", &["gpt-4o".into(), 1_000_000.into(), 0.into()], cx),
            Some(Ok(Data::Float(2.5)))
        );
    }
}
