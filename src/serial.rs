//! How the model's own types are written down, on the wire and on disk.  `core` itself knows nothing of serialisation;
//! these shadows of its types are checked against it by the compiler, field by field.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::core::alike::Ignored;
use crate::core::fleet::Command;
use crate::core::ids::ChildId;
use crate::core::job::Pin;
use crate::core::journal::Revision;
use crate::core::ladder::{Force, Rigour};
use crate::core::output::{Count, Stream, Streams};
use crate::core::question::{QuestionId, Response};
use crate::core::reason::{Doubt, Fate, Left, Limit, Reason};
use crate::core::receive::{Mode, Patience, ReceiveAsk};
use crate::core::saved::SavedState;
use crate::core::select::Selector;
use crate::core::spec::{Above, Asking, Host, JobSpec, Limits, Motion, OnFull, Payload, Withheld};
use crate::core::state::{Cause, State};
use crate::core::wait::Until;

#[derive(Serialize, Deserialize)]
#[serde(remote = "State")]
pub(crate) enum StateDef {
    NotStarted,
    Connecting,
    Running,
    Blocked,
    Suspended,
    Stopping,
    Disconnected,
    Completed,
    Failed,
    Stopped,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Ignored")]
pub(crate) struct IgnoredDef(#[serde(getter = "bits")] u8);

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn bits(ignored: &Ignored) -> u8 {
    ignored.bits()
}

impl From<IgnoredDef> for Ignored {
    fn from(IgnoredDef(bits): IgnoredDef) -> Self {
        Self::from_bits(bits)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Count")]
pub(crate) struct CountDef {
    bytes: u64,
    lines: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Stream")]
pub(crate) enum StreamDef {
    Out,
    Err,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Streams")]
pub(crate) enum StreamsDef {
    Both,
    Only(#[serde(with = "StreamDef")] Stream),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Mode")]
pub(crate) enum ModeDef {
    Drain,
    Keep,
    All,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Revision")]
pub(crate) struct RevisionDef(u64);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Patience")]
pub(crate) enum PatienceDef {
    Now,
    UntilNews(#[serde(with = "RevisionDef")] Revision),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Rigour")]
pub(crate) enum RigourDef {
    Gentle,
    Kill,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Force")]
pub(crate) enum ForceDef {
    FinalOnly,
    StopFirst,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Motion")]
pub(crate) enum MotionDef {
    Suspend,
    Resume,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Pin")]
pub(crate) enum PinDef {
    Off,
    On,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Until")]
pub(crate) enum UntilDef {
    All,
    Any,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Limits")]
pub(crate) struct LimitsDef {
    connect: Duration,
    command: Option<Duration>,
    job: Option<Duration>,
    grace: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OnFull")]
pub(crate) enum OnFullDef {
    Truncate,
    Block,
    Stop,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Asking")]
pub(crate) enum AskingDef {
    Allowed,
    Never,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Above")]
pub(crate) enum AboveDef {
    Configured,
    Any,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Payload")]
pub(crate) enum PayloadDef {
    Command(String),
    Script {
        name: String,
        interpreter: String,
        text: String,
        #[serde(default)]
        powershell: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Host")]
pub(crate) struct HostDef {
    name: String,
    host: String,
    address: Option<String>,
    user: Option<String>,
    port: Option<u16>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Selector")]
pub(crate) struct SelectorDef {
    text: String,
    hosts: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "JobSpec")]
pub(crate) struct JobSpecDef {
    name: Option<String>,
    runner: String,
    #[serde(with = "PayloadDef")]
    payload: Payload,
    targets: String,
    #[serde(with = "hosts")]
    hosts: Vec<Host>,
    fanout: NonZeroU32,
    #[serde(with = "LimitsDef")]
    limits: Limits,
    ok_exit: Vec<i32>,
    #[serde(with = "OnFullDef", default)]
    on_full: OnFull,
    options: Vec<(String, String)>,
    #[serde(with = "AskingDef", default)]
    asking: Asking,
    #[serde(with = "AboveDef", default)]
    ask_above: Above,
    #[serde(default)]
    shape: Option<String>,
    #[serde(with = "withheld", default)]
    withheld: Vec<Withheld>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Withheld")]
pub(crate) struct WithheldDef {
    name: String,
    doc: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ReceiveAsk")]
pub(crate) struct ReceiveAskDef {
    #[serde(with = "selectors")]
    select: Vec<Selector>,
    hosts: Option<Vec<String>>,
    #[serde(with = "StreamsDef")]
    streams: Streams,
    #[serde(with = "ModeDef")]
    mode: Mode,
    #[serde(with = "PatienceDef")]
    patience: Patience,
    /// Between a session and the engine only.
    #[serde(skip)]
    held: BTreeMap<ChildId, [Count; 2]>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Command")]
pub(crate) enum CommandDef {
    /// Between a session and the engine only: a client's job is a request of its own, with its secrets in it.
    #[serde(skip)]
    Submit(Box<JobSpec>),
    Stop {
        #[serde(with = "selectors")]
        select: Vec<Selector>,
        #[serde(with = "RigourDef")]
        rigour: Rigour,
        grace: Option<Duration>,
    },
    Remove {
        #[serde(with = "selectors")]
        select: Vec<Selector>,
        #[serde(with = "ForceDef")]
        force: Force,
    },
    Throttle {
        #[serde(with = "selectors")]
        select: Vec<Selector>,
        fanout: NonZeroU32,
    },
    Pause {
        #[serde(with = "selectors")]
        select: Vec<Selector>,
    },
    Move {
        #[serde(with = "selectors")]
        select: Vec<Selector>,
        #[serde(with = "MotionDef")]
        motion: Motion,
    },
    Wait {
        #[serde(with = "selectors")]
        select: Vec<Selector>,
        #[serde(with = "UntilDef")]
        until: Until,
        timeout: Option<Duration>,
    },
    Pin {
        #[serde(with = "selectors")]
        select: Vec<Selector>,
        #[serde(with = "PinDef")]
        pin: Pin,
    },
    Reconnect {
        #[serde(with = "selectors")]
        select: Vec<Selector>,
    },
    Receive(#[serde(with = "ReceiveAskDef")] ReceiveAsk),
    /// Between a session and the engine only: a client's answer is a request of its own, with the secret in it.
    #[serde(skip)]
    Answer {
        questions: Vec<QuestionId>,
        response: Response,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Limit")]
pub(crate) enum LimitDef {
    Connect,
    Command,
    Job,
    Output,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Left")]
pub(crate) enum LeftDef {
    Nothing,
    Alive(Vec<u32>),
    Unproved { pid: Option<u32>, why: String },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Fate")]
pub(crate) enum FateDef {
    Probing { pid: Option<u32> },
    Ended,
    Alive(Vec<u32>),
    Unknown { pid: Option<u32>, why: String },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Reason")]
pub(crate) enum ReasonDef {
    Exit(i32),
    Signal(String),
    Unreachable(String),
    Protocol(String),
    HostKeyUnknown(String),
    HostKeyChanged(String),
    HostKeyRevoked(String),
    AuthFailed(String),
    Sudo(String),
    Secret(String),
    Refused(String),
    BadSettings(String),
    TimedOut {
        #[serde(with = "LimitDef")]
        what: Limit,
        after: Duration,
        #[serde(with = "LeftDef")]
        left: Left,
        /// The last, and missing in what was stored before there was one.
        #[serde(default)]
        hop: Option<String>,
    },
    Stopped(#[serde(with = "LeftDef")] Left),
    Killed,
    StoppedBeforeStart,
    ConnectionLost {
        why: String,
        #[serde(with = "FateDef")]
        fate: Fate,
    },
    Unmoved(#[serde(with = "DoubtDef")] Doubt),
    Internal(String),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Doubt")]
pub(crate) enum DoubtDef {
    Seen {
        #[serde(with = "MotionDef")]
        motion: Motion,
        pids: Vec<u32>,
    },
    Unproved {
        #[serde(with = "MotionDef")]
        motion: Motion,
        pid: Option<u32>,
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Cause")]
pub(crate) enum CauseDef {
    Operator,
    Limit {
        #[serde(with = "LimitDef")]
        what: Limit,
        after: Duration,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SavedState")]
pub(crate) enum SavedStateDef {
    NotStarted,
    Live,
    Stopping(#[serde(with = "CauseDef")] Cause),
    Disconnected {
        why: String,
        #[serde(with = "FateDef")]
        fate: Fate,
    },
    Completed,
    Failed(#[serde(with = "ReasonDef")] Reason),
    Stopped(#[serde(with = "ReasonDef")] Reason),
}

/// A list of `$Type`, by its shadow.
macro_rules! list {
    ($module:ident, $Type:ty, $Def:literal) => {
        pub(crate) mod $module {
            use super::*;

            #[derive(Serialize, Deserialize)]
            struct Item(#[serde(with = $Def)] $Type);

            #[derive(Serialize)]
            struct Ref<'a>(#[serde(with = $Def)] &'a $Type);

            pub(crate) fn serialize<S: Serializer>(
                list: &[$Type],
                to: S,
            ) -> Result<S::Ok, S::Error> {
                to.collect_seq(list.iter().map(Ref))
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<Vec<$Type>, D::Error> {
                Ok(Vec::<Item>::deserialize(from)?
                    .into_iter()
                    .map(|Item(item)| item)
                    .collect())
            }
        }
    };
}

list!(hosts, Host, "HostDef");
list!(selectors, Selector, "SelectorDef");
list!(states, State, "StateDef");
list!(withheld, Withheld, "WithheldDef");

pub(crate) mod boxed_spec {
    use super::{Deserializer, JobSpec, JobSpecDef, Serializer};

    #[expect(
        clippy::borrowed_box,
        reason = "serde hands over a reference to the field"
    )]
    pub(crate) fn serialize<S: Serializer>(spec: &Box<JobSpec>, to: S) -> Result<S::Ok, S::Error> {
        JobSpecDef::serialize(spec, to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Box<JobSpec>, D::Error> {
        JobSpecDef::deserialize(from).map(Box::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_as_it_was_written_before_there_was_powershell() {
        #[derive(Deserialize)]
        struct Now(#[serde(with = "PayloadDef")] Payload);
        let (name, interpreter, text) = ("q", "sh", "id");
        let written = serde_json::json!({
            "Script": {"name": name, "interpreter": interpreter, "text": text},
        });
        let Now(read) = serde_json::from_value(written).expect("it can be read");
        let expected = Payload::Script {
            name: name.to_owned(),
            interpreter: interpreter.to_owned(),
            text: text.to_owned(),
            powershell: None,
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn a_job_is_read_as_it_was_written_before_it_said_when_to_ask() {
        #[derive(Serialize, Deserialize)]
        struct Spec(#[serde(with = "JobSpecDef")] JobSpec);
        let spec = JobSpec {
            name: None,
            runner: "ssh".to_owned(),
            payload: Payload::Command("true".to_owned()),
            targets: "web01".to_owned(),
            hosts: vec![Host::named("web01")],
            fanout: NonZeroU32::MIN,
            limits: Limits::default(),
            ok_exit: vec![0],
            on_full: OnFull::Truncate,
            options: Vec::new(),
            asking: Asking::Allowed,
            ask_above: Above::Any,
            shape: None,
            withheld: Vec::new(),
        };
        let mut written = serde_json::to_value(Spec(spec)).expect("it can be written");
        let Spec(read) = serde_json::from_value(written.clone()).expect("it can be read");
        assert_eq!(read.ask_above, Above::Any);
        let fields = written.as_object_mut().expect("an object");
        fields.remove("ask_above").expect("a field");
        let Spec(read) = serde_json::from_value(written).expect("it can be read");
        assert_eq!(read.ask_above, Above::Configured);
    }

    #[test]
    fn a_limit_that_ran_out_is_read_as_it_was_written_before_there_were_hops() {
        #[derive(Serialize)]
        enum Before {
            TimedOut {
                #[serde(with = "LimitDef")]
                what: Limit,
                after: Duration,
                #[serde(with = "LeftDef")]
                left: Left,
            },
        }
        #[derive(Deserialize)]
        struct Now(#[serde(with = "ReasonDef")] Reason);
        let (what, after) = (Limit::Connect, Duration::from_secs(10));
        let written = rmp_serde::to_vec(&Before::TimedOut {
            what,
            after,
            left: Left::Nothing,
        });
        let Now(read) =
            rmp_serde::from_slice(&written.expect("it can be written")).expect("it can be read");
        let expected = Reason::TimedOut {
            what,
            after,
            left: Left::Nothing,
            hop: None,
        };
        assert_eq!(read, expected);
    }
}
