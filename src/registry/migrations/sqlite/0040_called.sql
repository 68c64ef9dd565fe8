-- Which of our numbers was called, when and by whom (a lasting keyed tag; empty where the caller hides), apart from
-- what was said: it is what a number's background is counted by, and stays when a message's content goes.
-- Calls of before this table wait with no caller, and are looked at when the registry is opened.

create table called (
    message integer primary key references message (id),
    point integer references contact_point (id),
    caller blob,
    at integer not null,
    named integer not null default 0
) strict;
create index called_by_point on called (point, caller, at);
create index called_by_time on called (at);
create index called_waiting on called (message) where caller is null;

insert into called (message, at)
select id, at from message
where channel in ('phone', 'sms') and settled = 1
  and exists (select 1 from sighting where sighting.message = message.id and sighting.kind <> 'drill');
