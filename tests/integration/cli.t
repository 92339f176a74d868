#!/usr/bin/env bash
# The command line without a controller: exit statuses, wrong usage, init, validate, plan, apply.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy
lab_begin
status_of() {
	"$@" >"$lab/out" 2>"$lab/err"
	echo $?
}

is "no verb: wrong usage" "$(status_of pleach)" 64
is "an unknown verb: wrong usage" "$(status_of pleach statsu)" 64
like "… with the nearest" "$(cat "$lab/err")" 'did you mean "status"'
is "help on an unknown verb: wrong usage" "$(status_of pleach help statsu)" 64
is "an option before the verb: wrong usage" "$(status_of pleach -o json status)" 64
like "… that says where it belongs" "$(cat "$lab/err")" 'behind the verb'
is "an unknown option: wrong usage" "$(status_of pleach plan --nonsense)" 64
is "an unknown output: wrong usage" "$(status_of pleach plan -o yaml)" 64
is "too many arguments: wrong usage" "$(status_of pleach validate a b)" 64
for verb in init doctor validate plan apply status drift explain events history sync suspend resume approve exec forward logs nf top site schema log-level; do
	is "$verb --help" "$(status_of pleach "$verb" --help)" 0
	like "… says what it does and its exit status" "$(cat "$lab/out")" 'Exit status'
done
is "completion --help" "$(status_of pleach completion --help)" 0
is "help completion" "$(status_of pleach help completion)" 0
is "no controller: an error" "$(status_of pleach status)" 1
like "… that says where it looked, what to do, and why" "$(cat "$lab/err")" 'no controller answers at unix:.*start pleachd.*No such file or directory'
is "forward of no port: wrong usage" "$(status_of pleach forward hello 80x:80)" 64
is "forward of an empty address: wrong usage" "$(status_of pleach forward hello 1::80)" 64
is "forward to an address: looks for the VNFC" "$(status_of pleach forward hello 0:10.1.2.3:80)" 1
ok "what cannot be written is an error" sh -c 'pleach --version >/dev/full 2>"$1"; [ $? -eq 1 ] && grep -q "No space left" "$1"' sh "$lab/err"

cd "$lab" || exit 1
is "init" "$(status_of pleach init net)" 0
like "… prints the next commands" "$(cat "$lab/out")" 'pleach plan net'
is "init does not touch what is there" "$(status_of pleach init net)" 1
is "what init wrote is valid" "$(status_of pleach validate net)" 0
is "a plan with changes" "$(status_of pleach plan net)" 2
like "… creates the VNFC" "$(cat "$lab/out")" '\+.*vnfc/hello\.vdu\.0'
is "plan in JSON" "$(status_of pleach plan -o json net)" 2
ok "… is JSON" python3 -c 'import json,sys; json.load(open(sys.argv[1]))' "$lab/out"
is "plan between equal commits" "$(status_of pleach plan --from HEAD --to HEAD net)" 0

echo "# a comment" >>net/service.yaml
is "apply refuses what is not committed" "$(status_of pleach apply net)" 1
like "… and says what" "$(cat "$lab/err")" 'service\.yaml \(changed\) is not committed'
git -C net checkout -q service.yaml

pleach plan -o json net >"$lab/plan.json"
is "apply of a saved plan" "$(status_of pleach apply --plan "$lab/plan.json" net)" 0
is "a second apply has nothing to do" "$(status_of pleach apply net)" 0
like "… and says so" "$(cat "$lab/out")" 'nothing was to be done'
is "a saved plan does not apply twice" "$(status_of pleach apply --plan "$lab/plan.json" net)" 1
like "… because things have moved" "$(cat "$lab/err")" 'moved since the plan was saved'
is "site list" "$(status_of pleach site list)" 0
like "… shows the site" "$(cat "$lab/out")" '^local .* local '
is "plan on the live network" "$(status_of pleach plan net)" 0
is "exec gives the command's status" "$(status_of pleach exec hello -- sh -c 'exit 7')" 7
is "exec in nothing that runs" "$(status_of pleach exec nobody -- true)" 1
is "destroy" "$(status_of pleach apply --destroy net)" 0
is "… leaves nothing" "$(status_of pleach plan net)" 2

printf 'tosca_definitions_version: tosca_simple_yaml_1_3\ntopology_template:\n  node_templates:\n    x: { type: pleach.nodes.NetworkServic }\n' >net/bad.yaml
is "a fault" "$(status_of pleach validate net)" 1
like "… with file, line, column and code" "$(cat "$lab/err")" 'bad\.yaml:4:[0-9]+: error\[[a-z-]+\]:'
mkdir empty
is "apply of nothing: not a success" "$(status_of pleach apply --allow-dirty empty)" 1
like "… and says why" "$(cat "$lab/err")" 'there is no descriptor here'
git init -q --bare nothing.git
for address in 0.0.0.0:0 '[::]:0'; do
	is "pleachd does not listen on $address" "$(status_of timeout 5 pleachd --repo nothing.git --listen "$address")" 1
	like "… and says why" "$(cat "$lab/err")" 'anybody could ask there'
done
lab_done
