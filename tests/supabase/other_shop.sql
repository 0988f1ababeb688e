-- Another shop's tables: German names, integers of cents and as keys, times without a zone, several lines an order.
CREATE TYPE bestellstatus AS ENUM ('offen', 'bestätigt', 'versandt', 'storniert');
CREATE TABLE kunden (
    kundennummer bigint PRIMARY KEY, vorname text NOT NULL, nachname text NOT NULL, telefon text, straße text, plz text, ort text);
CREATE TABLE bestellungen (
    id bigint PRIMARY KEY, bestellnummer text NOT NULL UNIQUE, kundennummer bigint REFERENCES kunden,
    status bestellstatus NOT NULL DEFAULT 'offen', gesamtbetrag_cent bigint NOT NULL,
    angelegt_am timestamp NOT NULL DEFAULT now(), bestätigt_am timestamp);
CREATE TABLE bestellpositionen (
    bestellung_id bigint REFERENCES bestellungen, position int, artikelname text NOT NULL, menge int NOT NULL,
    einzelpreis_cent bigint NOT NULL, PRIMARY KEY (bestellung_id, position));
INSERT INTO kunden VALUES (7, 'Jürgen', 'Weiß', '+49 30 123456', 'Müllerstr. 5', '10115', 'Berlin');
INSERT INTO bestellungen (id, bestellnummer, kundennummer, gesamtbetrag_cent) VALUES (1, 'B-1001', 7, 4997), (2, 'B-1002', 7, 5);
INSERT INTO bestellpositionen VALUES (1, 2, 'Teller', 1, 1999), (1, 1, 'Tasse "Blau"', 2, 1499);
