alter table books add column isbn text unique;
create index books_by_author on books (author);
