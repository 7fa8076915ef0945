//! Sub-agents, workers and MCP servers (spec 07 sections 10, 11 and 13).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude("sub_agents", "sub_agent_run", "fn(task: any, options?: any) -> dict", "Runs an agent loop in a child session and gives one envelope.", r#"sub_agent_run("") // error: sub_agent_run: task is required"#).effect(EffectClass::Model),
    B::prelude("workers", "spawn_agent", "fn(config: dict) -> dict", "Starts a worker that runs a workflow, a stage or a sub-agent; its handle.", r#"spawn_agent({task: "t", graph: {nodes: {a: {kind: "escalation"}}}, options: {persist_path: temp_dir() + "/" + uuid()}, wait: true}).status // completed"#).effect(EffectClass::Model),
    B::prelude("workers", "wait_agent", "fn(handle: any) -> any", "Waits until a worker, or each of a list, has ended its cycle; the handle then.", r#"wait_agent("x") // error: unknown worker: x"#),
    B::prelude("workers", "send_input", "fn(handle: any, task: any) -> dict", "Gives a worker that has ended a new task.", r#"send_input("x", "go") // error: unknown worker: x"#).effect(EffectClass::Model),
    B::prelude("workers", "worker_trigger", "fn(handle: any, payload?: any) -> dict", "Starts the next cycle of a worker that awaits triggers.", r#"worker_trigger("x") // error: unknown worker: x"#).effect(EffectClass::Model),
    B::prelude("workers", "close_agent", "fn(handle: any) -> dict", "Cancels a worker and what it started.", r#"close_agent("x") // error: unknown worker: x"#),
    B::prelude("workers", "resume_agent", "fn(id_or_path: any) -> dict", "Loads the snapshot of a worker.", r#"resume_agent("x") // error: unknown worker: x"#).effect(EffectClass::Read),
    B::prelude("workers", "list_agents", "fn() -> list<dict>", "The handles of all workers of this run.", "list_agents() // []"),
    B::prelude("agent_trace", "agent_trace", "fn() -> list<dict>", "What the agent loops of this run did, in order.", "agent_trace() // []"),
    B::prelude("agent_trace", "agent_trace_summary", "fn() -> dict", "Totals over the agent loops of this run.", "agent_trace_summary().llm_calls // 0"),
    B::prelude("mcp", "mcp_connect", "fn(command: any, args?: any) -> dict", "Starts an MCP server and greets it over its standard streams.", r#"mcp_connect("") // error: mcp_connect: command is required"#).effect(EffectClass::Process),
    B::prelude("mcp", "mcp_server_info", "fn(client: any) -> dict", "Name of the server and whether it is connected.", "mcp_server_info(1) // error: mcp_server_info: argument must be an MCP client"),
    B::prelude("mcp", "mcp_list_tools", "fn(client: any) -> list<dict>", "The tools of the server, all pages.", "mcp_list_tools(1) // error: mcp_list_tools: argument must be an MCP client").effect(EffectClass::Process),
    B::prelude("mcp", "mcp_call", "fn(client: any, name: any, arguments?: any) -> any", "Calls a tool of the server.", r#"mcp_call(1, "x") // error: mcp_call: first argument must be an MCP client"#).effect(EffectClass::Process),
    B::prelude("mcp", "mcp_list_resources", "fn(client: any) -> list<dict>", "The resources of the server, all pages.", "mcp_list_resources(1) // error: mcp_list_resources: argument must be an MCP client").effect(EffectClass::Process),
    B::prelude("mcp", "mcp_list_resource_templates", "fn(client: any) -> list<dict>", "The resource templates of the server.", "mcp_list_resource_templates(1) // error: mcp_list_resource_templates: argument must be an MCP client").effect(EffectClass::Process),
    B::prelude("mcp", "mcp_read_resource", "fn(client: any, uri: any) -> any", "The contents of a resource.", r#"mcp_read_resource(1, "x") // error: mcp_read_resource: first argument must be an MCP client"#).effect(EffectClass::Process),
    B::prelude("mcp", "mcp_list_prompts", "fn(client: any) -> list<dict>", "The prompts of the server.", "mcp_list_prompts(1) // error: mcp_list_prompts: argument must be an MCP client").effect(EffectClass::Process),
    B::prelude("mcp", "mcp_get_prompt", "fn(client: any, name: any, arguments?: any) -> dict", "A prompt of the server.", r#"mcp_get_prompt(1, "x") // error: mcp_get_prompt: first argument must be an MCP client"#).effect(EffectClass::Process),
    B::prelude("mcp", "mcp_disconnect", "fn(client: any) -> nil", "Ends the connection and the server it started.", "mcp_disconnect(1) // error: mcp_disconnect: argument must be an MCP client"),
];
