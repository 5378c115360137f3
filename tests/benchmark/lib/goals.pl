# SPDX-License-Identifier: BSD-3-Clause
#
# What the relay wants to be, and whether this run's figures say that it is. Part of report: each goal
# is an entry of "goals" with its limit, its value and whether it is met.

use strict;
use warnings;

our %report;

my $heartbeat = 2.5;                     # s, SESSION_HEARTBEAT of relay/session.h
my $memory_limit = 10_000_000 / 1024;    # KiB
my $growth_limit = 128;                  # KiB over all APDUs: what an allocator does by the way
my @bridge = qw(core front worker monitor);
my @daemons = ('guest-gadget', @bridge);

# How values are compared, by the words that are printed.
my %compare = (
	'at most' => sub { $_[0] <= $_[1] },
	'at least' => sub { $_[0] >= $_[1] },
	'less than' => sub { $_[0] < $_[1] },
	'exactly' => sub { abs($_[0] - $_[1]) < 0.005 },
);

sub goal {
	my ($what, $value, $how, $limit) = @_;
	push @{ $report{goals} }, { goal => $what, value => $value, how => $how, limit => $limit,
		met => $compare{$how}->($value, $limit) ? JSON::PP::true : JSON::PP::false };
}

sub sum {
	my $sum = 0;
	$sum += $_ for @_;
	return $sum;
}

sub goals_of_sizes {
	my $name = sub { "command $_[0]{command}, response $_[0]{response}" };
	goal('d / (a + b + c), ' . $name->($_), $_->{ratio}, 'at most', 1.15) for of('sizes');
	goal('d: p99 / median, ' . $name->($_), $_->{p99}{d} / $_->{d}, 'at most', 3)
		for of('sizes');
	goal('d / b, ' . $name->($_), $_->{d} / $_->{b}, 'at most', 1.3)
		for of('sizes', command => 0, response => 65000);
}

# A heartbeat is a round trip, too.
sub goals_of_round_trips {
	my ($driver) = of('driver');
	goal('round trips per APDU', $report{round_trips_per_apdu}, 'exactly', 1)
		if defined $report{round_trips_per_apdu};
	return unless $driver;
	goal("round trips for $driver->{commands} other commands of a driver, and heartbeats",
		$driver->{turns} - 2, 'at most', int($driver->{seconds} / $heartbeat + 1));
}

sub goals_of_idle {
	for my $interrupt (qw(yes no)) {
		my $with = $interrupt eq 'yes' ? 'with interrupt endpoint' : 'without';
		for (of('idle_wire', interrupt => $interrupt)) {
			my $beats = int($_->{seconds} / $heartbeat) + 1;
			goal("idle, $with: frames from the guest in $_->{seconds} s", $_->{frames},
				'at most', $beats);
			goal("idle, $with: frames to the guest", $_->{frames_down}, 'at most', $beats);
		}
		my %percent = map { ($_->{process} => $_->{cpu_percent}) }
			of('idle', interrupt => $interrupt);
		next unless %percent;
		goal("idle, $with: CPU % of ccid-gadget", $percent{'guest-gadget'}, 'less than', 0.1);
		goal("idle, $with: CPU % of ccid-bridge's processes",
			sum(map { $percent{$_} || 0 } @bridge), 'less than', 0.1);
	}
}

sub goals_of_memory {
	for my $process (@daemons) {
		my @kib = map { $_->{rss_kib} }
			sort { $a->{apdus} <=> $b->{apdus} } of('memory', process => $process);
		next unless @kib;
		my ($apdus) = sort { $b <=> $a } map { $_->{apdus} } of('memory');
		goal("memory of $process, KiB", (sort { $b <=> $a } @kib)[0], 'less than',
			int $memory_limit);
		goal("... its growth over $apdus APDUs, KiB", $kib[-1] - $kib[0], 'at most',
			$growth_limit);
	}
}

sub find_goals {
	goals_of_sizes();
	goals_of_round_trips();
	goal('pkcs11-tool -L at +50 ms: e / d', $_->{e_to_d}, 'at least', 3)
		for of('delays', work => 'pkcs11-tool', delay => 50);
	goal('8 readers at +10 ms: APDUs per second, / those of one', $_->{growth}, 'at least', 6)
		for of('readers', way => 'd', delay => 10, readers => 8);
	goals_of_idle();
	goals_of_memory();
}

sub print_goals {
	my @met = grep { $_->{met} } of('goals');
	print "\nGoals, by this run's figures: " . @met . ' of ' . of('goals') . " met\n\n";
	printf "%-64s %10s  %-9s %7s  %s\n", $_->{goal}, sprintf('%.4g', $_->{value}), $_->{how},
		$_->{limit}, $_->{met} ? 'met' : 'not met' for of('goals');
}

1;
