//! Whether anything of a run is still alive: the program that looks on the computer, its request and its answer.
//!
//! A run's processes are those in the session (or group) its command led, and those that carry the run's name in their
//! environment wherever they went.  A process id alone proves nothing, it may belong to somebody else by now: members
//! of the session are ours if one of them carries the run's name, or if the session's watcher is among them.  What
//! carries another run's name, or leads the session without either, is not ours and never touched; what cannot be told
//! is reported as not known.
//!
//! Deliberately not here: killing what left the session.  It is reported, for the operator to decide.

use std::time::Duration;

use crate::core::spec::{Inquiry, Motion, Moved, Proof, Signal, Trace};

/// What the line that carries the answer begins with; the run's name and the finding follow.
pub(super) const ANSWER: &str = "regatta-probe";

/// What stands in the place of a signal when nothing is to be ended: see [`PROGRAM`].
pub(crate) const LOOK: &str = "look";

/// How long the probe waits after KILL before it says who is alive.
const AFTER_KILL: Duration = Duration::from_secs(2);

/// The program for `sh -c`, written like that of the prologue: no single quote, backslash, `!` or newline.
///
/// `l` finds the members of the session or group `$p` in these states (alive, or stopped), `m` all that are alive, `h` every process that carries a text in its environment
/// (or command line), from Linux's /proc with `grep`, elsewhere from `ps`; `c` tells whose the members are.  `b` lets a sudo go on that has its command on a terminal of its own, and stopped when that did.  Zombies have
/// no environment and are left out by their state.  A process in the middle of `execve` has none for an instant either,
/// which is why nothing found and nothing known are looked at twice.  Where the server forces a command, the text of the
/// prologue is in the environment of all that a run started, as what was asked for: so what is looked for there is a name
/// with its value, which that text has not.  The leader stands still first and goes on last: a shell
/// with job control takes a child that stopped before it for one that is done with, and ends.  Waiting is counted in tenths of a second; a `sleep` without fractions counts for ten.
///
/// Within `$()` the patterns of a `case` have both parentheses, for shells that come from pdksh.
/// Busybox may search the first word of what is in /proc only, unless it is told that words end with NUL; so `k` is how
/// `grep` finds the probe itself.
/// A group is asked for as `kill -0 -PID`, which is the one form that every shell and busybox take for that; some say that
/// it is not permitted, some that permission is denied.
pub(super) const PROGRAM: &str = concat!(
    r#"IFS= read -r t && read -r p && read -r s && read -r g && read -r d && read -r e && [ "$e" = "$t" ] || exit 125; "#,
    r#"exec </dev/null 2>/dev/null; "#,
    r#"a() { echo "regatta-probe $t $*"; exit 0; }; "#,
    r#"z() { sleep 0.1 || { sleep 1; n=$((n+9)); }; n=$((n+1)); }; "#,
    r#"i() { case " $2 " in *" $1 "*) ;; *) return 1;; esac; }; "#,
    r#"f() { f=$(grep "$@"); [ $? -le 2 ] || a unknown the processes could not be searched; "#,
    r#"F=; for f in $f; do f=${f#$d/}; F="$F ${f%/*}"; done; }; "#,
    r#"if [ "$(grep -lsE "[)] [^ZX] [0-9]+ [0-9]+ [0-9]+ [^)]*$" $d/$$/stat)" ]; then "#,
    r#"for k in zF F; do [ "$(grep -ls$k regatta-probe $d/$$/cmdline)" ] && break; k=; done; "#,
    r#"[ "$k" ] || a unknown the grep there does not search the processes; "#,
    r#"l() { F=; [ "$p" = 0 ] && return; "#,
    r#"f -lsE "[)] [$1] [0-9]+ ($p [0-9]+|[0-9]+ $p) [^)]*$" $d/[0-9]*/stat; }; "#,
    r#"h() { f -ls$k "$1" $d/[0-9]*/environ; [ "$F" ] || f -ls$k "$1" $d/[0-9]*/environ; H=$F; }; "#,
    r#"w() { f -ls$k REGATTA_WATCH=$t $d/[0-9]*/environ; H=$F; f -ls$k REGATTA_WATCH= $d/[0-9]*/cmdline; H="$H $F"; }; "#,
    r#"b() { f -ls$k "regatta-sudo $t asks" $d/[0-9]*/cmdline; [ "$F" ] && kill -s CONT $F; }; "#,
    r#"elif [ "$(ps -A -o pid= -o pgid= -o stat=)" ]; then "#,
    r#"l() { F=; [ "$p" = 0 ] && return; y=$1; set -- $(ps -A -o pid= -o pgid= -o stat=); while [ $# -gt 2 ]; do "#,
    r#"case $2$3 in ${p}Z*) ;; $p[A-Za-z]*) case $y$3 in ^ZX*|Tt[Tt]*) F="$F $1";; esac;; esac; shift 3; done; }; "#,
    r#"h() { H=$(ps ${2:-axeww} -o pid= -o stat= -o args= | while read -r q r v; do case $r$v in (Z*) ;; (*$1*) echo $q;; esac; done); "#,
    r#"H=$(echo $H); }; "#,
    r#"w() { h REGATTA_WATCH=$t; F=$H; h REGATTA_WATCH= axww; H="$F $H"; }; "#,
    r#"b() { h "regatta-sudo $t asks"; [ "$H" ] && kill -s CONT $H; }; "#,
    r#"else a unknown neither /proc nor ps shows the processes; fi; "#,
    r#"m() { l ^ZX; M=$F; }; "#,
    r#"c() { m; h REGATTA_RUN=$t; o=n; [ "$M" ] || return; o=u; for q in $M; do i $q "$H" && o=y; done; "#,
    r#"[ $o = u ] && { h "REGATTA_RUN=[0-9a-z]"; for q in $M; do i $q "$H" && o=n; done; }; "#,
    r#"[ $o = u ] && { w; for q in $M; do [ $q = $p ] || { i $q "$H" && o=y; }; done; }; "#,
    r#"[ $o = u ] && i $p "$M" && [ -r $d/$p/environ ] && o=n; }; "#,
    r#"n=0; c; [ $o = u ] && { z; c; }; "#,
    r#"[ $o = u ] && a unknown "it cannot be told whether these processes are ours:"$M; "#,
    r#"P=$p; [ $o = y ] || { [ "$M" ] && P=0; M=; p=0; }; "#,
    r#"[ $s = look ] && { w; W=$H; h REGATTA_RUN=$t; K=; for q in $M $H; do [ $q = $p ] || { i $q "$W" && continue; }; "#,
    r#"i $q "$K" || K="$K $q"; done; [ "$K" ] && a alive $K; s=0; M=; H=; }; "#,
    r#"case $s in STOP|CONT) [ "$M" ] || a gone; [ $s = CONT ] && b; w; n=0; while :; do m; l Tt; T=$F; K=; for q in $M; do "#,
    r#"[ $q = $p ] || { i $q "$H" && continue; }; if [ $s = CONT ]; then i $q "$T" || continue; [ $q = $p ] && K="$K $q" || K="$q $K"; "#,
    r#"else i $q "$T" && continue; [ $q = $p ] && K="$q $K" || K="$K $q"; fi; done; "#,
    r#"[ "$K" ] || break; [ $n -lt 20 ] || a not $K; kill -s $s $K; z; done; [ "$M" ] && a done; a gone;; esac; "#,
    r#"[ $s = 0 ] || { [ "$M" ] && kill -s $s $M && kill -s CONT $M; b; a signalled; }; "#,
    r#"if [ "$M" ]; then w; for q in $M; do [ $q = $p ] || { i $q "$H" && kill -s KILL $q; }; done; "#,
    r#"n=0; while m; [ "$M" ] && [ $n -lt $g ]; do z; done; h REGATTA_RUN=$t; fi; "#,
    r#"n=0; while [ "$M$H" ] && [ $n -lt 20 ]; do [ "$M" ] && kill -s KILL $M; z; m; h REGATTA_RUN=$t; done; "#,
    r#"for q in $H; do i $q "$M" || M="$M $q"; done; "#,
    r#"[ "$M" ] && a alive $M; "#,
    r#"[ $P = 0 ] || [ -r $d/1/stat ] || case $({ LC_ALL=C kill -0 -$P || LC_ALL=C kill -s 0 -- -$P; } 2>&1) in *ermi*) "#,
    r#"a unknown processes of another user are left in group $P and cannot be seen;; esac; "#,
    r#"a gone"#,
);

/// What the probe is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Say what is alive, after it was ended if that is asked for.
    Prove(Inquiry),
    /// Send a signal to the members of the session, nothing more.
    Send(Signal),
    /// Let the members of the session stand still or go on, all but its watcher, until they are seen to.
    Move(Motion),
}

/// What goes to the program's standard input.
pub(super) fn request(run: &str, trace: Option<&Trace>, task: Task) -> String {
    request_from("/proc", run, trace, task)
}

fn request_from(processes: &str, run: &str, trace: Option<&Trace>, task: Task) -> String {
    let pid = trace.map_or(0, |trace| trace.pid);
    let (signal, grace) = match task {
        Task::Prove(Inquiry::End { grace }) => ("0", grace),
        Task::Prove(Inquiry::Look) => (LOOK, Duration::ZERO),
        Task::Send(signal) => (signal_name(signal), Duration::ZERO),
        Task::Move(Motion::Suspend) => ("STOP", Duration::ZERO),
        Task::Move(Motion::Resume) => ("CONT", Duration::ZERO),
    };
    let tenths = grace.as_millis().div_ceil(100);
    format!("{run}\n{pid}\n{signal}\n{tenths}\n{processes}\n{run}\n")
}

/// How long an answer may take once the program runs; slow computers get as long again as was asked for.
pub(super) fn patience(task: Task) -> Duration {
    match task {
        Task::Prove(Inquiry::End { grace }) => (grace + AFTER_KILL) * 2 + Duration::from_secs(10),
        Task::Prove(Inquiry::Look) | Task::Send(_) | Task::Move(_) => Duration::from_secs(10),
    }
}

/// The signal's name as `kill -s` takes it.
pub(super) fn signal_name(signal: Signal) -> &'static str {
    match signal {
        Signal::Term => "TERM",
        Signal::Kill => "KILL",
    }
}

/// Whether there is an answer in everything that was written to standard output.
pub(super) fn is_answered(run: &str, output: &[u8]) -> bool {
    !Answered::read(run, output).word.is_empty()
}

/// What a [`Task::Prove`] came to: what it wrote to standard output, or why it could not be asked.
pub(super) fn proof(run: &str, answer: Result<Vec<u8>, String>) -> Proof {
    answer.map_or_else(Proof::Unknown, |output| parse(run, &output))
}

/// The same of a [`Task::Move`].
pub(super) fn moved(run: &str, answer: Result<Vec<u8>, String>) -> Moved {
    answer.map_or_else(Moved::Unknown, |output| parse_moved(run, &output))
}

/// Reads the answer to a [`Task::Prove`] out of everything that was written to standard output.
fn parse(run: &str, output: &[u8]) -> Proof {
    let answer = Answered::read(run, output);
    match (answer.word.as_str(), answer.pids()) {
        ("gone", _) => Proof::Gone,
        ("alive", Some(pids)) => Proof::Alive(pids),
        _ => Proof::Unknown(answer.why()),
    }
}

/// Reads the answer to a [`Task::Move`].
fn parse_moved(run: &str, output: &[u8]) -> Moved {
    let answer = Answered::read(run, output);
    match (answer.word.as_str(), answer.pids()) {
        ("done", _) => Moved::All,
        ("not", Some(pids)) => Moved::AllBut(pids),
        ("gone", _) => Moved::Gone,
        _ => Moved::Unknown(answer.why()),
    }
}

/// A line of the probe's; both parts are empty if there was none.
struct Answered {
    word: String,
    rest: String,
}

impl Answered {
    /// The last whole line that answers for this run.
    fn read(run: &str, output: &[u8]) -> Self {
        let text = String::from_utf8_lossy(output);
        let prefix = format!("{ANSWER} {run} ");
        let line = text
            .rfind(&prefix)
            .and_then(|at| text[at + prefix.len()..].split_once('\n'))
            // PowerShell ends its lines with a carriage return, too.
            .map_or("", |(line, _)| line.trim_end());
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Self {
            word: word.to_owned(),
            rest: rest.to_owned(),
        }
    }

    /// The processes it names, if it names any and nothing else.
    fn pids(&self) -> Option<Vec<u32>> {
        let pids: Result<Vec<u32>, _> =
            self.rest.split_ascii_whitespace().map(str::parse).collect();
        pids.ok().filter(|pids| !pids.is_empty())
    }

    /// Why it says nothing that was asked.
    fn why(&self) -> String {
        match (self.word.as_str(), self.rest.as_str()) {
            ("", _) => "the probe gave no answer".to_owned(),
            ("unknown", why) => why.to_owned(),
            (word, "") => format!("the probe's answer cannot be read: {word:?}"),
            (word, rest) => {
                format!(
                    "the probe's answer cannot be read: {:?}",
                    format!("{word} {rest}")
                )
            }
        }
    }
}

/// The line with which the program answers.
pub(crate) fn answer_line(run: &str, answer: &str) -> String {
    format!("{ANSWER} {run} {answer}\n")
}

/// The command line that runs the probe, whatever the login shell.
pub(crate) fn exec_line() -> String {
    format!("exec sh -c '{PROGRAM}' {ANSWER}")
}

#[cfg(test)]
mod tests;
