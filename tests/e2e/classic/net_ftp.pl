# A session with Net::FTP: HOST PORT passive|active [tls]. Whatever is not as it must be ends it.
use strict;
use warnings;
use Net::FTP;

my ($host, $port, $way, $tls) = @ARGV;
my @files = qw(empty one block big);

sub connected {
    my $ftp = Net::FTP->new(
        $host,
        Port            => $port,
        Passive         => $way eq 'passive',
        Timeout         => 60,
        SSL_verify_mode => 0,    # it is reached by its address
    ) or die "no connection: $@";
    if ($tls) { $ftp->starttls or die 'starttls: ', $ftp->message }
    return $ftp;
}

sub content {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar <$file> // '';
}

my $ftp = connected();
$ftp->login($ENV{USER_NAME}, 'wrong') and die 'a wrong password was taken';
$ftp->code == 530 or die $ftp->message;
$ftp = connected();

# Dies with the server's answer where a call fails.
sub done {
    my ($what, $result) = @_;
    return $result // die "$what: ", $ftp->message;
}

sub refused {
    my ($what, $code, $result) = @_;
    die "$what was not refused" if $result;
    $ftp->code == $code or die "$what: ", $ftp->message;
}

sub same {
    my ($what, $is, $must) = @_;
    $is eq $must or die "$what: '$is', not '$must'";
}

done(login => $ftp->login($ENV{USER_NAME}, $ENV{PASSWORD}) || undef);
same(pwd => done(pwd => $ftp->pwd), '/');
done(binary => $ftp->binary);
same(mkdir => done(mkdir => $ftp->mkdir('up/by/perl', 1)), '/up/by/perl');
mkdir 'got' or die $!;
for my $name (@files) {
    done(put => $ftp->put("here/$name", "up/by/perl/$name"));
    done(get => $ftp->get("there/$name", "got/$name"));
    same(size => done(size => $ftp->size("there/$name")), -s "here/$name");
}

done(put    => $ftp->put('here/block', 'appended'));
done(append => $ftp->append('here/block', 'appended'));

# Where a part of a file is there already.
open my $part, '>:raw', 'part' or die $!;
print {$part} substr(content('here/big'), 0, 1_000_001);
close $part or die $!;
done(restart => $ftp->get('there/big', 'part', 1_000_001));
same('a restarted get' => content('part') eq content('here/big'), 1);

same(ls => join(' ', sort @{ done(ls => scalar $ftp->ls('there')) }), 'there/big there/block there/empty there/one');
same('ls of a pattern' => join(' ', sort @{ done(ls => scalar $ftp->ls('there/b*')) }), 'there/big there/block');
my @long = @{ done(dir => scalar $ftp->dir('there')) };
same(dir => scalar(grep { /^-rw.* 65537 .* block$/ } @long), 1);
my $age = time - done(mdtm => $ftp->mdtm('there/big'));
$age > -2 && $age < 3600 or die "mdtm is $age seconds ago";

done(cwd => $ftp->cwd('up') || undef);
same(pwd => $ftp->pwd, '/up');
done(cdup => $ftp->cdup || undef);
refused(cwd => 550, $ftp->cwd('missing'));
done(rename => $ftp->rename('there/one', 'there/moved') || undef);
refused(rename => 550, $ftp->rename('there/one', 'there/other'));
done(site => $ftp->site('CHMOD', '600', 'there/moved') || undef);
done(delete => $ftp->delete('there/moved') || undef);
refused(delete => 550, $ftp->delete('there/moved'));
refused(rmdir  => 550, $ftp->rmdir('there'));
refused(get    => 550, scalar $ftp->get('missing', 'missing'));
done(rmdir => $ftp->rmdir('there', 1) || undef);

open my $lines, '<', \"first\nsecond\n" or die $!;
done(ascii => $ftp->ascii);
done(put   => $ftp->put($lines, 'lines'));
done(get   => $ftp->get('lines', 'lines'));
same(lines => content('lines'), "first\nsecond\n");
done(supported => $ftp->supported('MDTM') || undef);
done(quit      => $ftp->quit || undef);
