-- How far a folder of a mailbox elsewhere has been read. The key is a keyed hash of host, user and folder. Whoever
-- could move it on unseen could keep a mail from ever being looked at, so that it is watched as evidence is.

create table folder (
    place text primary key,
    uid_validity bigint not null,
    uid bigint not null
);
