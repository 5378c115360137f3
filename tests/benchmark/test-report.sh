#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# report and check-json: the figures of a small run whose samples are known, and JSON that lacks something.

# shellcheck disable=SC2016 # what is in quotation marks is for perl

set -eu

here=$(dirname "$(readlink -f "$0")")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail()
{
	echo "FAILED: $*" >&2
	exit 1
}

# All sizes: a + b + c is 1 + 2 + 1 ms at the median, d is 6 ms and once 30.
for size in "0 0" "0 256" "0 4096" "0 65000" "4096 0"; do
	printf '%s\n' "a $size 1000 900 1100" "b $size 2000 2000 2000" "c $size 1000" \
		"d $size 6000 5000" "d $size 30000" "e $size 3000"
done >"$folder/samples"
cat >"$folder/measures" <<-END
	run quick=no
	machine cpus=2 accelerator=tcg kernel=6.1.192 load=0.5
	round_trips way=d apdus=100 turns=100
	round_trips way=e apdus=100 turns=110
	driver commands=30 turns=5 seconds=2
	cost apdus=100 process=core cpu_us=5000 rss_kib=3000
	idle interrupt=yes seconds=60 process=core cpu_us=30000 rss_kib=3000
	idle interrupt=yes seconds=60 process=guest-gadget cpu_us=90000 rss_kib=3000
	idle_wire interrupt=yes seconds=60 frames=24 frames_down=26
	memory apdus=0 process=core rss_kib=3000
	memory apdus=100 process=core rss_kib=3200
END
printf '%s\n' "aio 0 65000 1000 3000" "plain 0 0 500" "plain 0 65000 700" "threads 0 0 600" \
	"threads 0 65000 800" "mixed 0 0 600" "mixed 0 65000 800" "aio 0 0 500" "aio 0 65000 2000 4000" \
	>"$folder/endpoints"
printf '%s\n' "GetSlotStatus 100 200 300" >"$folder/driver"
printf '%s\n' "50 d pkcs11-tool 2000000" "50 e pkcs11-tool 6000000" >"$folder/delays"
{
	echo "d 10 1 10000 10000"
	for reader in 1 2 3 4 5 6 7 8; do
		echo "d 10 8 10000 1000$reader"
	done
} >"$folder/readers"
# Both players are at it from 3000 to 5000: two and four answers.
printf '%s\n' "1 1000 2000 3000" "2 1000 2000 3000 4000 5000" "2 3000 3500 4000 4500 5000 5500" \
	>"$folder/guests"
"$here/report" "$folder" "$folder/json" >"$folder/output"
"$here/check-json" "$folder/json" || fail "JSON as it should be"

# value EXPRESSION: of the JSON
value()
{
	perl -MJSON::PP -e 'local $/; my $r = decode_json(<STDIN>);
		my ($goals) = { map { ($_->{goal} => $_->{met} ? "met" : "not met") } @{ $r->{goals} } };
		print eval $ARGV[0] // die $@' "$1" <"$folder/json"
}

# is EXPRESSION EXPECTED
is()
{
	[ "$(value "$1")" = "$2" ] || fail "$1: $(value "$1") instead of $2"
}

is '$r->{sizes}[0]{ratio}' 1.5
is '$r->{sizes}[0]{p99}{d}' 30
is '"@{$r->{endpoints}[0]}{qw(way command response median quarter)}"' "aio 0 65000 2 1"
is '"@{$r->{endpoints}[1]}{qw(way response median)}"' "plain 0 0.5"
is '"@{$r->{machine}[0]}{qw(cpus kernel)}"' "2 6.1.192"
is '$r->{round_trips_per_apdu}' 1
is '$r->{cost}[0]{cpu_us_per_apdu}' 50
is '$r->{idle}[0]{cpu_percent}' 0.05
is '$r->{idle}[0]{cpu_s_per_hour}' 1.8
is '$r->{idle_wire}[0]{frames_per_hour}' 3000
is '$r->{delays}[0]{e_to_d}' 3
is 'sprintf "%.3f", $r->{readers}[1]{growth}' 7.997
is '$r->{guests}[1]{per_second}' 3000
is '$goals->{"d / (a + b + c), command 0, response 0"}' "not met"
is '$goals->{"d: p99 / median, command 0, response 0"}' "not met"
is '$goals->{"d / b, command 0, response 65000"}' "not met"
is '$goals->{"round trips per APDU"}' "met"
is '$goals->{"round trips for 30 other commands of a driver, and heartbeats"}' "not met"
is '$goals->{"pkcs11-tool -L at +50 ms: e / d"}' "met"
is '$goals->{"8 readers at +10 ms: APDUs per second, / those of one"}' "met"
is '$goals->{"idle, with interrupt endpoint: frames from the guest in 60 s"}' "met"
is '$goals->{"idle, with interrupt endpoint: frames to the guest"}' "not met"
is '$goals->{"idle, with interrupt endpoint: CPU % of ccid-gadget"}' "not met"
is '$goals->{"idle, with interrupt endpoint: CPU % of ccid-bridge'"'"'s processes"}' "met"
is '$goals->{"memory of core, KiB"}' "met"
is '$goals->{"... its growth over 100 APDUs, KiB"}' "not met"
grep -q "^d: p99 .* not met" "$folder/output" || fail "goals among the tables"
grep -q "^aio  *0  *65000  *2.00  *1.00$" "$folder/output" || fail "endpoints among the tables"

# refused WHAT PERL: JSON that this has changed
refused()
{
	perl -MJSON::PP -e 'local $/; my $r = decode_json(<STDIN>); eval $ARGV[0]; die $@ if $@;
		print encode_json($r)' "$2" <"$folder/json" >"$folder/other"
	! "$here/check-json" "$folder/other" >/dev/null || fail "check-json doesn't see: $1"
}

refused "a size too few" 'pop @{ $r->{sizes} }'
refused "no e" 'delete $r->{sizes}[2]{e}'
refused "text" '$r->{sizes}[2]{command} = "0"'
refused "another ratio" '$r->{sizes}[1]{ratio} = 1.15'
refused "no list" 'delete $r->{sizes}'
refused "no round trips" 'delete $r->{round_trips_per_apdu}'
refused "an endpoint's way too few" '$r->{endpoints} = [ grep { $_->{way} ne "mixed" } @{ $r->{endpoints} } ]'
refused "a size of a way too few" 'pop @{ $r->{endpoints} }'
refused "no endpoints" 'delete $r->{endpoints}'
refused "no median of a way" 'delete $r->{endpoints}[3]{median}'
refused "no endpoints, and nothing that says how long the run was" 'delete @$r{qw(endpoints run)}'
grep -v '^run ' "$folder/measures" >"$folder/other"
{ echo "run quick=yes"; cat "$folder/other"; } >"$folder/measures"
rm "$folder/endpoints"
"$here/report" "$folder" "$folder/json" >/dev/null
"$here/check-json" "$folder/json" || fail "JSON of a quick run"
