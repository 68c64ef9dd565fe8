-- Whether an alert tells what its incident did not know yet: that is told at once. It says when a place is
-- told, and is no evidence.

alter table alert add column news bigint not null default 0;
alter table delivery add column news bigint not null default 0;
