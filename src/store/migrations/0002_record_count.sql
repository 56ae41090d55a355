R"sql(
-- How many records there are, so that nobody has to count them: what is written is added by the writer, what is
-- deleted (by a person too) is taken away here.
INSERT OR REPLACE INTO identity VALUES ('records_present', (SELECT count(*) FROM records));
CREATE TRIGGER records_deleted AFTER DELETE ON records BEGIN
    UPDATE identity SET value = value - 1 WHERE name = 'records_present';
END;
)sql"
