-- Letters are few among millions of mails.
create index message_post on message (id) where channel = 'post';
