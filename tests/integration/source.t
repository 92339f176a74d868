#!/usr/bin/env bash
# What a repository may do to its controller: a branch with a slash, a sub-folder, pushes in quick succession, a force-push, a branch
# that is deleted, packed or not there yet, a sub-folder that goes, a descriptor that is too large, a name with letters of its own.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy curl
lab_begin
lab_repo smallest
mkdir "$work/net"
git -C "$work" mv haproxy.cfg service.yaml web.yaml net/
git -C "$work" checkout -qb feature/x
branch_push() {
	git -C "$work" add -A && git -C "$work" commit -qm "$1" && git -C "$work" push -qf origin HEAD:feature/x
}
greets() {
	[ "$(pleach exec hello -- curl -s --max-time 5 http://127.0.0.1/ 2>/dev/null | cut -d ' ' -f 1)" = "$1" ]
}
greeting() {
	sed -i "s/\"[a-z0-9]* from/\"$1 from/" "$work/net/haproxy.cfg"
	branch_push "$1"
}
start_here() {
	lab_start --branch feature/x --path net --poll 1s
}

start_here
like "a branch that is not there yet: status says so" "$(pleach status)" 'branch feature/x of .* is not there yet'
branch_push "The network, in a sub-folder"
ok "its first push converges" lab_converged
ok "and answers" eventually 5 greets hello

git -C "$bare" pack-refs --all
greeting packed
ok "a push after pack-refs is seen" eventually 5 greets packed

for i in 1 2 3 4 5 6 7 8 9 10; do greeting "g$i"; done
ok "ten pushes in quick succession: the newest wins" eventually 10 greets g10
ok "… and converges" lab_converged
like "… and is the one that status names" "$(pleach status)" "commit $(git -C "$work" rev-parse --short=12 HEAD) "

git -C "$work" reset -q --hard HEAD~5
git -C "$work" push -qf origin HEAD:feature/x
ok "a force-push back is followed" eventually 10 greets g5

git -C "$bare" update-ref -d refs/heads/feature/x
gone() { pleach status | grep -q 'branch feature/x of .* is gone; what was last asked for is kept'; }
ok "a deleted branch: status says so" eventually 5 gone
ok "… and everything runs on" greets g5
git -C "$work" push -q origin HEAD:feature/x
ok "… and when it is there again, all is well" lab_converged 20s

git -C "$work" mv net elsewhere
branch_push "The sub-folder goes"
lost() { pleach status | grep -q 'has no folder "net"'; }
ok "a sub-folder that goes: status says so" eventually 5 lost
ok "… and everything runs on" greets g5
git -C "$work" mv elsewhere net
branch_push "And comes back"
ok "… and when it is there again, all is well" lab_converged 20s

cp "$work/net/service.yaml" "$lab/service.yaml"
{ head -c 4200000 /dev/zero | tr '\0' '#' && echo && cat "$lab/service.yaml"; } >"$work/net/service.yaml"
branch_push "The service in a file that is too large"
too_large() { pleach status | grep -q 'service.yaml.*more than the'; }
ok "a descriptor that is too large: status says so" eventually 5 too_large
ok "… and what it may say runs on" greets g5
cp "$lab/service.yaml" "$work/net/service.yaml"
branch_push "And small again"
ok "… and when it is small again, all is well" lab_converged 20s

sed -i 's/^    hello:/    "grüße":/' "$work/net/service.yaml"
branch_push "A name with letters of its own"
ok "a name with letters of its own converges" lab_converged 20s
like "… keys hold it encoded" "$(pleach status)" 'vnfc/gr%C3%BC%C3%9Fe\.vdu\.0 +Ready'
ok "… and are understood as they are typed" pleach exec grüße -- true
like "… everywhere" "$(pleach explain vnfc/grüße.vdu.0)" '^vnfc/gr%C3%BC%C3%9Fe\.vdu\.0: Ready'

lab_done
