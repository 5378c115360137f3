# SPDX-License-Identifier: BSD-3-Clause
#
# gnuplot -e "folder='FOLDER'" plots.gnuplot: an SVG for each table, of the .dat files that report has
# written there.

set terminal svg size 900,540 font "sans,12" background "white"
set grid ytics
set key outside right top
data(name) = folder . "/" . name . ".dat"
picture(name) = folder . "/" . name . ".svg"

set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8

set output picture("sizes")
set title "An APDU, median (bytes of command / of response)"
set ylabel "ms"
set logscale y
plot data("sizes") using 3:xtic(1) title "a card", "" using 4 title "b bus", "" using 5 title "c wire", \
	"" using 2 title "a + b + c", "" using 6 title "d relay", "" using 7 title "e forwarded socket"
unset logscale y

set output picture("processes")
set title "Processor time of an APDU"
set ylabel "us"
set yrange [0:*]
plot data("processes") using 2:xtic(1) notitle

set output picture("idle")
set title "Processor time when nothing happens"
set ylabel "% of a processor"
plot data("idle") using 2:xtic(1) title "with interrupt endpoint", "" using 3 title "without"

set style data linespoints
lines_of(name) = system("grep -c '^\"' " . data(name)) - 1

set output picture("delays")
set title "The same work over a longer wire, median"
set xlabel "round trip of the wire, ms more"
set ylabel "ms"
set yrange [*:*]
set logscale y
plot for [i = 0:lines_of("delays")] data("delays") index i using 1:2 title columnheader(1)
unset logscale y

set yrange [0:*]
set output picture("readers")
set title "Readers at the same time in one guest"
set xlabel "readers"
set ylabel "APDUs per second, all together"
plot for [i = 0:lines_of("readers")] data("readers") index i using 1:2 title columnheader(1)

set output picture("guests")
set title "Guests on one bridge (players without USB)"
set xlabel "guests"
plot data("guests") using 1:2 notitle

set output picture("memory")
set title "Memory over a number of APDUs"
set xlabel "APDUs"
set ylabel "KiB"
plot for [i = 0:lines_of("memory")] data("memory") index i using 1:2 title columnheader(1)
