//! Commands on Windows: what stands there in the place of the prologue and the probe, for a login shell that is cmd or
//! PowerShell.
//!
//! Two constant programs for Windows PowerShell 5.1, handed over as `-EncodedCommand`, which means the same to either login shell.
//! As with `sh`, all data travel on standard input, one item a line, and standard input is the **lifeline**: TERM, KILL or
//! its end ends the command and all below it (`taskkill /T /F`; there is no gentler signal for a command without a window).
//!
//! A process carries no name there that others can read, but for its command line: the command's begins its text with the
//! name of the run, and the probe knows it by the Base64 of that.  What the command started is found by its parents, as
//! long as these live or have just been seen to; what cannot be told is reported as not known.
//!
//! Of a script with a text for PowerShell that is the command; its secrets stand in neither command line nor environment, but
//! follow `go` on the standard input of the command's own shell.
//!
//! Deliberately not here: which hosts are Windows (that is known per connection), scripts with an interpreter only, other
//! users and terminals, which are refused by name.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use zeroize::Zeroizing;

use super::Order;
use super::probe::{LOOK, Task, signal_name};
use crate::config::queries::powershell;
use crate::core::reason::Reason;
use crate::core::spec::{Inquiry, Payload, Trace};

/// What the greeting of Microsoft's OpenSSH contains.
const GREETING: &[u8] = b"OpenSSH_for_Windows";

/// How long a command may be with what stands around it, in UTF-16 units: as Base64 it is part of a command line, which
/// has 32,767 at most.
const LONGEST: usize = 12_000;

/// What stands before a command, behind the line with the name of its run: UTF-8, and no progress bars in its output.
const BEFORE: &str = "$ProgressPreference='SilentlyContinue';try{[Console]::OutputEncoding=New-Object Text.UTF8Encoding $false}catch{}";

/// What stands behind it: its exit code is that of the last program, or 1 if something else failed last.
const BEHIND: &str = "if($?){exit 0};if($LASTEXITCODE){exit $LASTEXITCODE};exit 1";

/// Starts the command and holds its lifeline.
///
/// - `$input` is read line by line as it comes; the host reads standard input for it, so nothing else may.
/// - The command's shell waits for `go` and has the end of input afterwards: no output of it can come before the line
///   that reports the start, and without that line it does nothing.  The line behind `go` sets the secrets.
/// - The command itself is not handed over as `-EncodedCommand`: its errors would come as XML.
/// - Its end is waited for beside the lifeline, by a thread that exits for the whole program.
/// - As long as its handle is held, nobody else has its process id.
const PROGRAM: &str = r#"$ProgressPreference='SilentlyContinue';$a=@();$p=$null
foreach($l in $input){
if($p){if($l -match '^(TERM|KILL)$'){$null=taskkill /T /F /PID $p.Id 2>&1};continue}
$a+=$l;if($a.Count -lt 7){continue}
if($a[6] -cne $a[0]){[Environment]::Exit(125)}
$env:REGATTA_RUN=$a[0];$env:REGATTA_HOST=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($a[1]))
$env:REGATTA_JOB=$a[2];$env:REGATTA_CHILD=$a[3]
$s=New-Object Diagnostics.ProcessStartInfo;$s.FileName='powershell.exe';$s.UseShellExecute=$false;$s.RedirectStandardInput=$true
$s.Arguments="-NoProfile -NonInteractive -Command `$i=@(`$input);if(`$i[0] -like '*go'){iex((`$i[1],'"+$a[4]+"'|%{[Text.Encoding]::Unicode.GetString([Convert]::FromBase64String(`$_))}) -join '')}else{exit 125}"
try{$p=[Diagnostics.Process]::Start($s)}catch{[Environment]::Exit(125)}
[Console]::Out.WriteLine('regatta-began '+$a[0]+' '+$p.Id);[Console]::Out.Flush()
$w=[PowerShell]::Create().AddScript('param($p)$p.WaitForExit();[Environment]::Exit($p.ExitCode)').AddArgument($p);$null=$w.BeginInvoke()
try{$p.StandardInput.WriteLine('go');$p.StandardInput.WriteLine($a[5]);$p.StandardInput.Close()}catch{}
}
if(-not $p){[Environment]::Exit(125)}
while(-not $p.HasExited){$null=taskkill /T /F /PID $p.Id 2>&1;Start-Sleep -Milliseconds 500}
[Environment]::Exit($p.ExitCode)
"#;

/// Says what of a run is alive, after it was ended if that is asked for.
///
/// `Same` tells a process from a later one of its id by when it was made.  `Below` adds to processes what they started, and what
/// that did; who has ended is followed too, unless somebody else has its id by now.
const PROBE: &str = r#"$ProgressPreference='SilentlyContinue';$a=@()
function Answer($w){[Console]::Out.WriteLine("regatta-probe $t $w");[Console]::Out.Flush();[Environment]::Exit(0)}
function All{@(Get-CimInstance Win32_Process -ErrorAction Stop)}
function Same($c,$o){$c.ProcessId -eq $o.ProcessId -and $c.CreationDate -eq $o.CreationDate}
function Among($o,$x){foreach($c in $x){if(Same $c $o){return $true}};$false}
function Below($r,$x){$f=@($r);for($j=0;$j -lt $f.Count;$j++){$o=$f[$j];$h=$false
foreach($c in $x){if($c.ProcessId -eq $o.ProcessId -and -not (Same $c $o)){$h=$true}}
if(-not $h){foreach($c in $x){if($c.ParentProcessId -eq $o.ProcessId -and $c.CreationDate -ge $o.CreationDate -and -not (Among $c $f)){$f+=$c}}}};$f}
function Alive($f,$x){foreach($o in $f){if(Among $o $x){$o}}}
function Finish($f){foreach($o in $f){$null=taskkill /T /F /PID $o.ProcessId 2>&1}}
function Ids($f){(@($f)|ForEach-Object{$_.ProcessId}) -join ' '}
foreach($l in $input){
$a+=$l;if($a.Count -lt 5){continue}
$t=$a[0];$p=[uint32]$a[1];$s=$a[2];$m=$a[3];if($a[4] -cne $t){[Environment]::Exit(125)}
try{
$x=All;$r=@($x|Where-Object{$_.CommandLine -clike "*'$m*"});$f=@(Below $r $x)
if($s -eq 'TERM' -or $s -eq 'KILL'){Finish $r;Answer 'signalled'}
if($s -eq 'look'){if($f){Answer ('alive '+(Ids $f))}}
else{$n=0;while($true){$v=@(Alive $f $x);if(-not $v -or $n -ge 10){break};Finish $v;Start-Sleep -Milliseconds 200;$n++;$x=All;$f=@(Below $f $x)}
if($v){Answer ('alive '+(Ids $v))}}
if($p){$h=@($x|Where-Object{$_.ProcessId -eq $p})
$o=@($x|Where-Object{$_.ParentProcessId -eq $p -and (-not $h -or $_.CreationDate -lt $h[0].CreationDate)})
if($o){Answer ('unknown the command has ended, it cannot be told whether it started these processes: '+(Ids $o))}}
Answer 'gone'
}catch{Answer ('unknown the processes cannot be listed: '+($_.Exception.Message -replace '\s+',' '))}
}
[Environment]::Exit(125)
"#;

/// Whether a server that greets like this runs on Windows.  Its login shell may still be one of Unix.
pub(super) fn is_greeting(greeting: &[u8]) -> bool {
    greeting
        .windows(GREETING.len())
        .any(|words| words == GREETING)
}

/// Whether a login shell that did not come to the prologue said so as those of Windows do, to which the line that starts it
/// means nothing: cmd (in English), PowerShell (in any language, by the name of the error).
pub(super) fn is_complaint(said: &[u8]) -> bool {
    let said = String::from_utf8_lossy(said);
    [
        "'exec' is not recognized as an internal or external command",
        "The term 'exec' is not recognized",
        "CommandNotFoundException",
    ]
    .iter()
    .any(|words| said.contains(words))
}

/// The command line that starts a command, whether cmd or PowerShell reads it.
pub(super) fn exec_line() -> String {
    line_of(PROGRAM)
}

/// The command line that runs the probe.
pub(super) fn probe_line() -> String {
    line_of(PROBE)
}

fn line_of(program: &str) -> String {
    format!(
        "powershell -NoProfile -NonInteractive -EncodedCommand {}",
        encode(program)
    )
}

/// Base64 of UTF-16, as PowerShell takes it.
fn encode(text: &str) -> String {
    BASE64.encode(&*units(text))
}

/// UTF-16 as bytes, wiped behind whoever reads them.
fn units(text: &str) -> Zeroizing<Vec<u8>> {
    // No character takes more room than here, so that it does not grow.
    let mut units = Zeroizing::new(Vec::with_capacity(2 * text.len()));
    units.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    units
}

/// What a command's text begins with.  Encoded it has no padding, so that the encoded text begins with it, too.
fn name_of(run: &str) -> String {
    format!("#{run}")
}

/// The lines that set the order's secrets, before its text.
fn secrets(order: &Order) -> Result<Zeroizing<String>, Reason> {
    let values = || (order.secrets.iter()).map(|(name, secret)| (name.as_str(), secret.reveal()));
    let room = values().map(|(name, value)| powershell::room(name, value));
    // It must not grow: what it leaves behind then is not wiped.
    let mut set = Zeroizing::new(String::with_capacity(room.sum()));
    for (name, value) in values() {
        if value.contains('\0') {
            return Err(Reason::Secret(format!(
                "the secret {name} contains a NUL character, which no shell can hold"
            )));
        }
        powershell::assign(&mut set, name, value);
    }
    Ok(set)
}

/// What goes to the program's standard input; the lifeline stays open behind it.  As of the prologue, it is wiped when it
/// has been written.
///
/// # Errors
/// [`Reason::Refused`] for what cannot be run there, [`Reason::BadSettings`] for a command that cannot be handed over.
pub(super) fn order_lines(order: &Order) -> Result<Bytes, Reason> {
    let text = match &*order.payload {
        Payload::Command(text)
        | Payload::Script {
            powershell: Some(text),
            ..
        } => text,
        Payload::Script {
            name,
            interpreter,
            powershell: None,
            ..
        } => {
            return Err(Reason::Refused(format!(
                "this is a Windows host, and {name} has a text for {interpreter} only: give PowerShell as a command, or as [platform] windows of a query"
            )));
        }
    };
    if text.contains('\0') {
        return Err(Reason::BadSettings(
            "the command contains a NUL character, which no shell can read".to_owned(),
        ));
    }
    let run = &order.run;
    let whole = format!("{}\n{BEFORE}\n{text}\n{BEHIND}", name_of(run));
    if whole.encode_utf16().count() > LONGEST {
        return Err(Reason::BadSettings(format!(
            "the command is too long for a Windows host ({} characters, about {LONGEST} are possible): copy it there as a file and run that",
            text.chars().count()
        )));
    }
    let host = BASE64.encode(&order.host.name);
    let (job, child) = (order.job, order.child);
    let set = secrets(order)?;
    let set = Zeroizing::new(encode(&set));
    let text = encode(&whole);
    let sizes = [host.len(), text.len(), set.len(), 160];
    let mut lines = Zeroizing::new(String::with_capacity(sizes.iter().sum()));
    write!(
        lines,
        "{run}\n{host}\n{job}\n{child}\n{text}\n{}\n{run}\n",
        *set
    )
    .expect("a String takes everything");
    let bytes = std::mem::take(&mut *lines).into_bytes();
    Ok(Bytes::from_owner(Zeroizing::new(bytes)))
}

/// What goes to the probe's standard input.
///
/// # Errors
/// In words, what no probe can do there.
pub(super) fn request(run: &str, trace: Option<&Trace>, task: Task) -> Result<String, String> {
    let word = match task {
        Task::Prove(Inquiry::End { .. }) => "0",
        Task::Prove(Inquiry::Look) => LOOK,
        Task::Send(signal) => signal_name(signal),
        Task::Move(_) => {
            return Err(
                "this is a Windows host, where commands cannot be suspended: stop it, or let it run"
                    .to_owned(),
            );
        }
    };
    let pid = trace.map_or(0, |trace| trace.pid);
    let mark = encode(&name_of(run));
    Ok(format!("{run}\n{pid}\n{word}\n{mark}\n{run}\n"))
}

#[cfg(test)]
mod tests;
