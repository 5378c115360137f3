# SPDX-License-Identifier: BSD-3-Clause
#
# The tables as gnuplot wants them, in the folder of the results: NAME.dat for each plot of plots.gnuplot.
# Part of report. Blocks of a file that are different lines of the plot have their titles in quotation
# marks, and two empty lines between them.

use strict;
use warnings;

our %report;

sub write_data {
	my ($folder, $name, @lines) = @_;
	open my $file, '>', "$folder/$name.dat" or die "$folder/$name.dat: $!\n";
	print $file map { "$_\n" } @lines;
	close $file or die "$folder/$name.dat: $!\n";
}

# block TITLE, LINE...
sub block {
	my ($title, @lines) = @_;
	return ("\"$title\"", @lines, '', '');
}

sub data_of_sizes {
	return map {
		join ' ', "\"$_->{command}/$_->{response}\"", $_->{a} + $_->{b} + $_->{c},
			@{$_}{qw(a b c d e)};
	} of('sizes');
}

sub data_of_delays {
	my %seen;
	my @works = grep { !$seen{$_}++ } map { $_->{work} } of('delays');
	return map {
		my $work = $_;
		map {
			my $way = $_;
			block("$work, $way", map { "$_->{delay} $_->{$way}" }
				of('delays', work => $work));
		} qw(d e);
	} @works;
}

sub data_of_readers {
	my %seen;
	my @lines = grep { !$seen{"$_->{way} $_->{delay}"}++ } of('readers');
	return map {
		my ($way, $delay) = @{$_}{qw(way delay)};
		block("$way, +$delay ms", map { "$_->{readers} $_->{per_second}" }
			of('readers', way => $way, delay => $delay));
	} @lines;
}

sub data_of_memory {
	my %seen;
	my @processes = grep { !$seen{$_}++ } map { $_->{process} } of('memory');
	return map {
		my $process = $_;
		block($process, map { "$_->{apdus} $_->{rss_kib}" }
			of('memory', process => $process));
	} @processes;
}

sub data_of_idle {
	my %without = map { ($_->{process} => $_->{cpu_percent}) } of('idle', interrupt => 'no');
	return map { "\"$_->{process}\" $_->{cpu_percent} " . ($without{ $_->{process} } || 0) }
		of('idle', interrupt => 'yes');
}

sub write_plots {
	my ($folder) = @_;
	my %data = (
		sizes => [ data_of_sizes() ],
		delays => [ data_of_delays() ],
		readers => [ data_of_readers() ],
		guests => [ map { "$_->{guests} $_->{per_second} $_->{median}" } of('guests') ],
		memory => [ data_of_memory() ],
		processes => [ map { "\"$_->{process}\" $_->{cpu_us_per_apdu}" } of('cost') ],
		idle => [ data_of_idle() ],
	);
	write_data($folder, $_, @{ $data{$_} }) for keys %data;
}

1;
