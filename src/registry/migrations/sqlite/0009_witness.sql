-- Which checkpoint a witness has been given, and the cosignature that it answered with, if it does.

create table witnessed (
    size integer not null references checkpoint (size),
    witness text not null,
    at integer not null,
    cosignature text,
    primary key (size, witness)
) strict, without rowid;
create index witnessed_by_witness on witnessed (witness, size);
