# Collects a maildrop by Net::POP3 and tells what it saw, for test_net_pop3.py.
#
#   net_pop3.pl WAY LOGIN PORT AUTHORITY FOLDER ACTION
#
# WAY is clear, stls or implicit; LOGIN is login or auth; name and password come by environment.
# Messages go to FOLDER/number and FOLDER/number.top; what it saw is printed line by line.

use strict;
use warnings;
use Net::POP3;

my ($way, $login, $port, $authority, $folder, $action) = @ARGV;
my ($name, $password) = @ENV{'POP3_NAME', 'POP3_PASSWORD'};
my @trust = (SSL_ca_file => $authority, SSL_verify_mode => 1, SSL_verifycn_name => 'localhost');
my @first = $way eq 'implicit' ? (SSL => 1, @trust) : ();

my $pop = Net::POP3->new('localhost', Port => $port, Timeout => 30, @first)
    or die "no connection: $@\n";
if ($way eq 'stls') {
    $pop->starttls(@trust) or die "no TLS: $@\n";
}
my $count = $login eq 'auth' ? $pop->auth($name, $password) : $pop->login($name, $password);
defined $count or die "no login: " . $pop->message;
print "login ", $count + 0, "\n";
print "capa ", join(' ', sort keys %{ $pop->capa }), "\n";
my ($messages, $octets) = $pop->popstat;
print "stat $messages $octets\n";

if ($action eq 'delete') {
    $pop->delete($_) or die "no mark: " . $pop->message for 1 .. $messages;
    # It says nothing by what it returns.
    $pop->reset;
    $pop->ok or die "no reset: " . $pop->message;
    $pop->delete($_) or die "no mark: " . $pop->message for 2 .. $messages;
} else {
    my $sizes = $pop->list;
    my $ids = $pop->uidl;
    for my $number (sort { $a <=> $b } keys %$sizes) {
        print "message $number $sizes->{$number} $ids->{$number}\n";
        keep("$folder/$number", $pop->get($number));
        keep("$folder/$number.top", $pop->top($number, 2));
        print "size $number ", $pop->list($number) // 'unknown', "\n";
        $pop->uidl($number) eq $ids->{$number} or die "another unique-id\n";
    }
}
$pop->quit or die "no update: " . $pop->message;

sub keep {
    my ($path, $lines) = @_;
    defined $lines or die "no message: " . $pop->message;
    open my $file, '>:raw', $path or die "$path: $!\n";
    print {$file} @$lines;
    close $file or die "$path: $!\n";
}
