-- Up to when a source's canaries have had the changes that were due.

create table tended (
    source text not null primary key references source (name),
    at bigint not null
);
