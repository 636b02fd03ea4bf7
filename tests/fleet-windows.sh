#!/bin/sh
# Acts as the login shell of a Windows host does, as a forced command: sh fleet-windows.sh LOG WORDS
#
# What it is told is noted in LOG, a word a line.  A text that makes JSON is noted in LOG.asked, and answered with LOG.answer.  It runs nothing but regatta's two PowerShell programs, and those it acts
# out: a command is a text for sh here, and a session of its own that is killed where taskkill would be called.  WORDS is
# what it says to anything else; "deaf" lets it not know powershell either.
log=$1 words=$2
start='powershell -NoProfile -NonInteractive -EncodedCommand '
decode() { base64 -d | iconv -f UTF-16LE -t UTF-8; }

case $SSH_ORIGINAL_COMMAND in
"$start"*) ;;
*)
    echo posix >>"$log"
    echo "$words" >&2
    exit 1
    ;;
esac
if [ "$words" = deaf ]; then
    echo "'powershell' is not recognized as an internal or external command," >&2
    exit 1
fi

program=$(printf %s "${SSH_ORIGINAL_COMMAND#"$start"}" | decode)
case $program in
*regatta-began*)
    echo program >>"$log"
    read -r run && read -r host && read -r job && read -r child && read -r text && read -r set && read -r end || exit 125
    [ "$run" = "$end" ] || exit 125
    text=$(printf %s "$text" | decode)
    [ "$(printf '%s\n' "$text" | head -n 1)" = "#$run" ] || exit 125
    REGATTA_RUN=$run REGATTA_JOB=$job REGATTA_CHILD=$child
    REGATTA_HOST=$(printf %s "$host" | base64 -d)
    export REGATTA_RUN REGATTA_JOB REGATTA_CHILD REGATTA_HOST
    text=$(printf '%s\n' "$text" | sed '1,2d;$d')
    # Variables of PowerShell's as those of sh.
    [ -z "$set" ] || text=$(printf %s "$set" | decode | sed "s/^\\$//; s/''/'\\\\''/g")"
$text"
    # What only a PowerShell understands has its answer in a file.
    case $text in
    *ConvertTo-Json*)
        printf '%s\n' "$text" >"${log}.asked"
        text="cat '$log.answer'"
        ;;
    esac
    exec 3<&0
    # The line that reports the start comes from the process that becomes the command, so before any output of it.
    setsid sh -c 'printf "regatta-began %s %s\r\n" "$REGATTA_RUN" $$; exec sh -c "$0"' "$text" </dev/null 3<&- &
    command=$!
    # It carries no name of a run: it is not part of the command.
    (
        unset REGATTA_RUN
        exec sh -c 'while read -r word; do case $word in TERM | KILL) kill -s KILL -- "-$0" ;; esac; done; kill -s KILL -- "-$0"' "$command"
    ) <&3 3<&- >/dev/null 2>&1 &
    lifeline=$!
    exec 3<&-
    wait "$command"
    code=$?
    kill "$lifeline" 2>/dev/null
    # What taskkill ends has this exit code.
    [ "$code" -lt 128 ] || code=1
    exit "$code"
    ;;
*regatta-probe*)
    read -r run && read -r pid && read -r word && read -r mark && read -r end || exit 125
    echo "probe $word" >>"$log"
    [ "$run" = "$end" ] || exit 125
    if [ "$mark" != "$(printf '#%s' "$run" | iconv -t UTF-16LE | base64 -w 0)" ]; then
        answer='unknown the mark is not that of the run'
    elif [ "$word" = look ]; then
        answer=gone
        kill -s 0 -- "-$pid" 2>/dev/null && answer="alive $pid"
    else
        kill -s KILL -- "-$pid" 2>/dev/null
        tries=0
        while kill -s 0 -- "-$pid" 2>/dev/null && [ "$tries" -lt 50 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
        answer=gone
        kill -s 0 -- "-$pid" 2>/dev/null && answer="alive $pid"
    fi
    printf 'regatta-probe %s %s\r\n' "$run" "$answer"
    ;;
*)
    echo "what is this: $program" >&2
    exit 1
    ;;
esac
