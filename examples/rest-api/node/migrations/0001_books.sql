create table books (
    id bigint generated always as identity primary key,
    title text not null,
    author text not null,
    year integer,
    added timestamptz not null default now()
);
