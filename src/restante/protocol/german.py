"""German: the texts of replies by their English ones.

The words are those of German mail programs: Postfach, Nachricht, Anmeldung. A text that stands for
values has the same places in the same order.
"""

GERMAN = {
    # ---- replies of the session
    "answers in English": "Antworten auf Deutsch",
    "begin TLS": "TLS kann beginnen",
    "cancelled": "abgebrochen",
    "capabilities follow": "es folgen die Fähigkeiten",
    "goodbye": "auf Wiedersehen",
    "languages follow": "es folgen die Sprachen",
    "maildrop has %d messages (%d octets)": "%d Nachrichten im Postfach (%d Oktette)",
    "marked": "zum Löschen vorgemerkt",
    "message follows": "es folgt die Nachricht",
    "name taken, send the password": "Name angenommen, nun das Passwort",
    "no message is marked": "keine Nachricht ist vorgemerkt",
    "no such message": "diese Nachricht gibt es nicht",
    "nothing done": "nichts getan",
    "octets behind STLS": "hinter STLS kamen weitere Oktette",
    "passwords are not taken in clear, use TLS": (
        "Passwörter werden nicht unverschlüsselt angenommen, bitte TLS verwenden"
    ),
    "scan listing follows": "es folgt die Liste der Größen",
    "the header of this message is too long": "die Kopfzeilen dieser Nachricht sind zu lang",
    "the initial response is not base64": "die erste Antwort ist kein Base64",
    "the response is not base64": "die Antwort ist kein Base64",
    "there is no choice of languages here": "hier sind keine Sprachen zu wählen",
    "this command is not possible now": "dieser Befehl ist jetzt nicht möglich",
    "this language is not spoken here": "diese Sprache wird hier nicht gesprochen",
    "this login may collect mail, not remove it": (
        "diese Anmeldung darf Nachrichten abholen, aber nicht löschen"
    ),
    "this message can be read in UTF8 mode only": (
        "diese Nachricht ist nur im UTF8-Modus zu lesen"
    ),
    "this way to authenticate is not offered": "diese Art der Anmeldung wird nicht angeboten",
    "TLS is not available here": "TLS gibt es hier nicht",
    "too many bad commands": "zu viele falsche Befehle",
    "too many responses": "zu viele Antworten",
    "unique-id listing follows": "es folgt die Liste der Kennungen",
    "UTF8 is not offered here": "UTF8 wird hier nicht angeboten",
    "UTF-8 from here on": "von hier an UTF-8",
    # ---- lines that are no commands
    "a carriage return stands alone": "ein CR steht allein",
    "a line holds a NUL": "eine Zeile enthält ein NUL",
    "a mechanism and at most an initial response expected": (
        "hier gehört ein Mechanismus her und höchstens eine erste Antwort"
    ),
    "a message number and a number of lines expected": (
        "hier gehören eine Nachrichtennummer und eine Zahl von Zeilen her"
    ),
    "a password is missing": "das Passwort fehlt",
    "a range of languages expected": "hier gehört ein Sprachbereich her",
    "a user name and a digest of 32 hexadecimal digits expected": (
        "hier gehören ein Benutzername und eine Prüfsumme aus 32 Hexadezimalziffern her"
    ),
    "line too long": "die Zeile ist zu lang",
    "line too long, closing": "die Zeile ist zu lang, die Verbindung wird getrennt",
    "lines end in CRLF": "Zeilen enden mit CRLF",
    "one message number expected": "hier gehört eine Nachrichtennummer her",
    "one user name expected": "hier gehört ein Benutzername her",
    "only printable ASCII is taken here": "hier sind nur druckbare ASCII-Zeichen erlaubt",
    "only printable characters in UTF-8 are taken here": (
        "hier sind nur druckbare Zeichen in UTF-8 erlaubt"
    ),
    "this command takes no argument": "dieser Befehl hat kein Argument",
    "unknown command": "unbekannter Befehl",
    # ---- refusals
    "another session holds this maildrop": "das Postfach ist in einer anderen Sitzung geöffnet",
    "authentication failed": "Anmeldung fehlgeschlagen",
    "refused": "abgelehnt",
    "some deleted messages not removed": "einige vorgemerkte Nachrichten wurden nicht gelöscht",
    "temporary failure, try again later": (
        "vorübergehende Störung, bitte später noch einmal versuchen"
    ),
    "the maildrop cannot be opened": "das Postfach lässt sich nicht öffnen",
    "this message cannot be read now": "diese Nachricht lässt sich jetzt nicht lesen",
    "this message is no longer there": "diese Nachricht ist nicht mehr da",
    "too many logins at once, try again later": (
        "zu viele Anmeldungen auf einmal, bitte später noch einmal versuchen"
    ),
    # ---- messages of mechanisms
    "a CRAM-MD5 response is a name and a digest": (
        "eine Antwort von CRAM-MD5 besteht aus Name und Prüfsumme"
    ),
    "a PLAIN message has a name and a password, both UTF-8": (
        "eine Nachricht von PLAIN hat Name und Passwort, beide in UTF-8"
    ),
    "a PLAIN message has three parts": "eine Nachricht von PLAIN hat drei Teile",
    "a SCRAM message has a few attributes": "eine Nachricht von SCRAM hat wenige Attribute",
    "a SCRAM message is a list of attributes": (
        "eine Nachricht von SCRAM ist eine Liste von Attributen"
    ),
    "a SCRAM message is a short text in UTF-8": (
        "eine Nachricht von SCRAM ist ein kurzer Text in UTF-8"
    ),
    "an EXTERNAL message is a name in UTF-8, or empty": (
        "eine Nachricht von EXTERNAL ist ein Name in UTF-8 oder leer"
    ),
    "an XOAUTH2 message has a user in UTF-8": (
        "eine Nachricht von XOAUTH2 nennt einen Benutzer in UTF-8"
    ),
    "CRAM-MD5 takes no initial response": "CRAM-MD5 hat keine erste Antwort",
    "LOGIN has two prompts": "LOGIN fragt zweimal",
    "LOGIN takes a name in UTF-8": "LOGIN erwartet einen Namen in UTF-8",
    "LOGIN takes a password in UTF-8": "LOGIN erwartet ein Passwort in UTF-8",
    "mandatory extensions are not supported": (
        "verbindliche Erweiterungen werden nicht unterstützt"
    ),
    "no message is due": "eine Nachricht wird nicht erwartet",
    "OAUTHBEARER has no channel binding": "OAUTHBEARER hat keine Kanalbindung",
    "the attributes of a SCRAM message have their order": (
        "die Attribute einer Nachricht von SCRAM haben ihre Reihenfolge"
    ),
    "the authorization identity is malformed": "der Name, der gelten soll, ist fehlerhaft",
    "the channel binding flag is n, y or p with a type": (
        "das Zeichen der Kanalbindung ist n, y oder p mit einer Art"
    ),
    "the channel binding flag is not the mechanism's": (
        "das Zeichen der Kanalbindung passt nicht zum Mechanismus"
    ),
    "the GS2 header ends in a separator": "der GS2-Kopf endet mit einem Trennzeichen",
    "the message has no GS2 header": "die Nachricht hat keinen GS2-Kopf",
    "the message is a few pairs, and ends in two separators": (
        "die Nachricht besteht aus wenigen Paaren und endet mit zwei Trennzeichen"
    ),
    "the message is a list of keys with values, each there once": (
        "die Nachricht ist eine Liste von Schlüsseln mit Werten, jeder einmal"
    ),
    "the message is too long": "die Nachricht ist zu lang",
    "the nonce is malformed": "die Einmalzahl ist fehlerhaft",
    "the proof is malformed": "der Nachweis ist fehlerhaft",
    "the response to a failure is empty, or a separator": (
        "die Antwort auf eine Ablehnung ist leer oder ein Trennzeichen"
    ),
    "the response to the server's proof is empty": (
        "die Antwort auf den Nachweis des Servers ist leer"
    ),
    "the user name is malformed": "der Benutzername ist fehlerhaft",
    "the values of OAUTHBEARER are ASCII": "die Werte von OAUTHBEARER sind ASCII",
    "this type of channel binding is not supported": (
        "diese Art der Kanalbindung wird nicht unterstützt"
    ),
}
