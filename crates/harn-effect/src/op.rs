//! The table of effects. One row is one effect: permanent number, name, class, argument fields, result.
//!
//! Numbers are never reused: they stand in records of runs.

/// How far an effect reaches; the order is the side-effect ladder of spec 08 section 3.5, refined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EffectClass {
    /// Output, clock, randomness, sleeping: ruled by one test of a mask, recorded only when a run is recorded.
    Ambient,
    /// Reads of the log, the environment, files.
    Read,
    /// Writes inside the workspace or the program's durable state.
    Write,
    /// Writes of governance records: requests to people, decisions, trust records.
    Control,
    /// Starting processes.
    Process,
    /// Model calls.
    Model,
    /// Any other network traffic.
    Network,
}

macro_rules! ops {
    ($($number:literal $variant:ident $name:literal $class:ident $doc:literal;)*) => {
        /// One kind of effect.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Op { $(#[doc = $doc] $variant = $number,)* }

        impl Op {
            /// Every row, in table order.
            pub const ALL: &'static [Op] = &[$(Op::$variant,)*];

            /// The dotted name.
            pub fn name(self) -> &'static str {
                match self { $(Op::$variant => $name,)* }
            }

            /// The class the gate rules by.
            pub fn class(self) -> EffectClass {
                match self { $(Op::$variant => EffectClass::$class,)* }
            }

            /// Arguments and result, in words.
            pub fn doc(self) -> &'static str {
                match self { $(Op::$variant => $doc,)* }
            }
        }
    };
}

ops! {
    // Ambient: the host answers at once.
    1 StdoutWrite "stdout.write" Ambient "{text}: writes text to standard output as it is. Nil.";
    2 StderrWrite "stderr.write" Ambient "{text}: writes text to standard error. Nil.";
    3 ClockNow "clock.now" Ambient "{}: Unix time in milliseconds. Int.";
    4 ClockMonotonic "clock.monotonic" Ambient "{}: a clock that never steps back, in milliseconds. Int.";
    5 RandomBytes "random.bytes" Ambient "{count}: random bytes of the operating system. Bytes.";
    6 StdinRead "stdin.read" Ambient "{mode: line|all}: text from standard input, nil at its end. Str or nil.";

    7 Progress "progress.event" Ambient "{kind, fields}: tells whoever watches the run what it is doing. Nil.";

    8 RunInfo "run.info" Ambient "{}: {run_id, version, script, base_dir, state_root}: where the state of this run belongs.";

    // Event log (spec 08 section 2).
    20 EventAppend "event_log.append" Write "{topic, kind, payload, headers}: appends; reserved topics are refused. Int id.";
    21 EventLatest "event_log.latest" Read "{topic}: the last id of a topic or nil.";
    22 EventRead "event_log.read" Read "{topic, from, limit}: list of {id, cursor, topic, kind, payload, headers, occurred_at_ms}.";
    23 EventNext "event_log.next" Read "{topic, from}: waits until an event with id > from exists; that event.";

    // Autonomy (spec 08 section 1).
    30 AutonomyReserve "autonomy.reserve" Control "{label, option, odd_types, session_id, stable, mock_model}: reads the option and rules; nil without a budget, else {admitted: true, decision_id, approval_id} | {admitted: false, result}.";
    31 AutonomyRelease "autonomy.release" Control "{decision_id, reason}: gives a decision back. Nil.";
    34 AutonomySpend "autonomy.spend" Control "{}: counts one tool call for the decisions that the task is in. Nil, or {reason, key, text} of the limit that refuses it.";
    35 AutonomyFinish "autonomy.finish" Control "{decision_id}: the decision is over. Nil.";

    // Tool calls of a model (spec 07 section 3): rulings are recorded before the tool runs.
    32 ToolCall "tool.call" Control "{tool, call_id, session_id, arguments, ruling: allow|ask|deny, reason}: records a ruling. The decision's id.";
    33 ToolDone "tool.done" Control "{decision_id, ok, category}: records how a tool call came out. Nil.";

    // Trust graph (spec 08 section 3).
    40 TrustRecord "trust.record" Control "{builtin, args or decision}: appends to the chain. The finished record.";
    41 TrustQuery "trust.query" Read "{builtin, filters}: records in query order, their groups, or projections.";
    42 TrustScore "trust.score" Read "{agent, action}: TrustScore.";
    43 TrustPolicy "trust.policy_for" Read "{agent}: CapabilityPolicy.";
    44 TrustVerify "trust.verify_chain" Read "{}: verification report.";

    // Triggers (spec 08 section 6).
    45 TriggerAppend "trigger.append" Control "{events: [{topic, kind, payload, headers}], trust}: appends what a dispatch did, in one transaction. The ids.";
    46 TriggerTier "trigger.tier" Read "{agent, tier}: the tier in force of a trigger that is configured for `tier`.";
    47 TriggerReserve "trigger.reserve" Control "{trigger_id, binding_key, event_id, trace_id, per_hour, per_day, ...}: a decision of a trigger. {ruling: admitted|waiting|denied, ...}.";

    // People (spec 08 section 4) and waitpoints (section 5).
    50 HitlAsk "hitl.ask" Control "{builtin, kind, explicit, payload...}: files a request and waits until it is settled. {request_id, value}.";
    51 HitlPending "hitl.pending" Read "{filters}: unanswered requests.";
    52 HitlConsume "hitl.consume" Control "{request_id, action, args, principal}: uses an approval once. {granted: true} or {granted: false, result: of the first use}.";
    53 HitlExecuted "hitl.executed" Control "{request_id, result}: records the result of a dual_control closure.";
    54 WaitpointCreate "waitpoint.create" Control "{family, id, by, metadata}: handle or record.";
    55 WaitpointResolve "waitpoint.resolve" Control "{family, id, status, value, by, reason}: handle or record.";
    56 WaitpointWait "waitpoint.wait" Control "{family, ids, timeout_ms, wait_id}: waits. Result record.";

    // Models (spec 07 sections 1 and 2).
    60 LlmCall "llm.call" Model "{mode, prompt, system, schema, suffix, options}: one model call with retries. What the builtin of the mode returns.";
    61 LlmMockPush "llm.mock.push" Ambient "{response}: scripts the mock provider. Nil.";
    62 LlmMockCalls "llm.mock.calls" Ambient "{}: what the mock provider was asked.";
    63 LlmMockScope "llm.mock.scope" Ambient "{action: push|pop|clear}: scopes of the mock script. Nil.";
    64 LlmInfo "llm.info" Ambient "{what, args}: facts about providers, models, prices and capabilities.";
    65 LlmSession "llm.session" Ambient "{action, args}: the running account: cost, usage, budget, rate limits.";
    66 LlmStreamOpen "llm.stream.open" Model "{mode, prompt, system, options}: reads a call that will be streamed. {stream: id}.";
    67 LlmStreamNext "llm.stream.next" Ambient "{stream}: waits for the next piece of text; nil at the end.";
    68 LlmSend "llm.send" Model "{provider, model, dialect, url, headers, auth, auth_env, body, stream, ..._ms}: one HTTP exchange with a provider. The reply.";
    79 LlmStreamRun "llm.stream.run" Ambient "{stream}: makes the call of an opened stream. Its outcome.";
    69 LlmPermit "llm.permit" Ambient "{provider}: waits for a permit of the provider's rate limit. Nil.";

    // Host calls and mocks (spec 06 section 10).
    70 HostCall "host.call" Process "{capability, operation, params}: asks the embedding host.";
    71 HostMock "host.mock" Control "{...}: scripts the host in tests. Nil.";
    72 HostMockCalls "host.mock.calls" Ambient "{}: what the scripted host was asked.";
    73 HostMockScope "host.mock.scope" Ambient "{action: push|pop|clear}. Nil.";
    74 HostMockList "host.mock.list" Ambient "{}: [{capability, operation}] of what is scripted.";
    75 HostTool "host.tool" Process "{name, args}: calls a tool of the embedding host.";
    76 HostBridge "host.bridge" Ambient "{}: {capabilities: {name: {description, operations}}, tools: [{name, description, schema, deprecated}]} of the embedding host, or nil.";

    // Files, environment, processes (spec 06 sections 1 to 4).
    80 FileRead "file.read" Read "{path}: Bytes.";
    81 FileWrite "file.write" Write "{path, bytes: bytes or text, append, sync}: written beside and renamed unless appended; sync: on the disk before. Nil.";
    82 FileStat "file.stat" Read "{path, link}: {kind: file|dir|symlink|other, size, readonly, modified: float seconds or nil}, or nil when absent. link: of a link itself.";
    83 FileList "file.list" Read "{path}: names in byte order.";
    84 FileDelete "file.delete" Write "{path}: removes a file or an empty directory. Nil.";
    85 DirCreate "dir.create" Write "{path}: with its parents. Nil.";
    86 FileRename "file.rename" Write "{from, to}. Nil.";
    87 EnvGet "env.get" Read "{name}: text or nil.";
    88 ProcessExec "process.exec" Process "{argv, cwd, env, env_clear, stdin, timeout_ms}: {status (-1 after a signal), signal, stdout, stderr: bytes, timed_out, pid}.";
    89 FileCopy "file.copy" Write "{from, to}: overwrites. Nil.";
    90 TreeDelete "tree.delete" Write "{path}: removes a file, a link, or a directory with all in it. Nil.";
    91 DirWalk "dir.walk" Read "{path, max_depth, follow_symlinks}: [{path, is_dir, is_file, depth}], root first, siblings in byte order; empty when absent.";
    92 FileCanonical "file.canonical" Read "{path}: the absolute path without links.";
    93 TempCreate "temp.create" Write "{prefix, suffix, dir: bool}: a new private file or directory. Its path.";
    115 FileLock "file.lock" Read "{path}: waits until nobody else on the machine holds the directory. {lock: id}.";
    116 FileUnlock "file.unlock" Ambient "{lock}: gives a lock back. Nil.";
    94 HostInfo "host.info" Ambient "{}: {cwd, temp_dir, home, username, hostname, platform, arch, pid, stdin_tty, stdout_tty, stderr_tty}.";

    // Children that a program talks to (spec 07 section 11).
    95 ChildOpen "child.open" Process "{argv, cwd, env, env_clear, label}: starts a child to talk to; its standard error goes to ours, marked with the label. {child: id}.";
    96 ChildSend "child.send" Process "{child, line}: writes a line. Whether it was taken.";
    97 ChildReceive "child.receive" Ambient "{child}: the next line that the child writes, nil at the end.";
    98 ChildClose "child.close" Ambient "{child}: ends the child with its process group. Whether it was open.";

    // Network.
    100 HttpSend "http.send" Network "{surface, method, url, headers: [[name, value]], body: bytes, ..._timeout_ms, proxy, tls}: one exchange, no redirect followed. {status, headers: [[name, value]], body: bytes}.";
    101 HttpOpen "http.open" Network "As http.send, the body unread. {stream, status, headers}.";
    102 HttpRead "http.read" Ambient "{stream, max_bytes, timeout_ms}: the next bytes, nil at the end, true when nothing came in time.";
    103 HttpClose "http.close" Ambient "{stream}: whether it was open.";
    114 HttpInfo "http.info" Ambient "{stream}: {status, headers: [[name, value]]} of an open body, or nil.";
    104 HttpSession "http.session" Ambient "{action: open|get|close, id, options}: default options of requests.";
    105 HttpMock "http.mock" Ambient "{action: script|clear|calls|passthrough, ...}: scripted replies and the log of requests.";
    106 EgressPolicy "egress.policy" Ambient "{config}: sets the rules of the network, once. What is in force.";
    107 EventsOpen "events.open" Network "As http.open, with max_events and max_message_bytes. Handle.";
    108 EventsReceive "events.receive" Ambient "{stream, timeout_ms}: the next event, nil at the end.";
    109 EventsClose "events.close" Ambient "{stream}: whether it was open.";
    110 SocketOpen "socket.open" Network "{url, headers, timeout_ms, max_messages, max_message_bytes}: handle.";
    111 SocketSend "socket.send" Network "{socket, type, data: text or bytes}: whether it was sent.";
    112 SocketReceive "socket.receive" Ambient "{socket, timeout_ms}: the next message, nil at the end.";
    113 SocketClose "socket.close" Ambient "{socket}: whether it was open.";
}
