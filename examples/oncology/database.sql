-- SPDX-License-Identifier: Apache-2.0
--
-- A hospital's research database: biopsies that may be trained on, patients that may not. Run as superuser with WRIT_ADMIN_PASSWORD set.
\getenv admin_password WRIT_ADMIN_PASSWORD

-- The one login that Writ has. It makes a role for each run, and can hand on what it holds here, nothing else: it owns no table.
create role writ_admin login createrole password :'admin_password';
grant pg_signal_backend to writ_admin; -- ends the sessions of a run that is over

create database oncology;
revoke all on database oncology from public;
grant connect on database oncology to writ_admin with grant option;
revoke connect on database postgres, template1 from public;

\connect oncology
revoke all on schema public from public;
grant usage on schema public to writ_admin with grant option;

create table biopsies (
    id integer primary key,
    mean_radius double precision not null, mean_texture double precision not null,
    mean_perimeter double precision not null, mean_area double precision not null,
    mean_smoothness double precision not null, mean_compactness double precision not null,
    mean_concavity double precision not null, mean_concave_points double precision not null,
    mean_symmetry double precision not null, mean_fractal_dimension double precision not null,
    radius_error double precision not null, texture_error double precision not null,
    perimeter_error double precision not null, area_error double precision not null,
    smoothness_error double precision not null, compactness_error double precision not null,
    concavity_error double precision not null, concave_points_error double precision not null,
    symmetry_error double precision not null, fractal_dimension_error double precision not null,
    worst_radius double precision not null, worst_texture double precision not null,
    worst_perimeter double precision not null, worst_area double precision not null,
    worst_smoothness double precision not null, worst_compactness double precision not null,
    worst_concavity double precision not null, worst_concave_points double precision not null,
    worst_symmetry double precision not null, worst_fractal_dimension double precision not null,
    diagnosis text not null check (diagnosis in ('malignant', 'benign'))
);

-- Who the biopsies came from. Nobody trains on these; the names are made up.
create table patients (
    biopsy integer primary key,
    name text not null,
    born date not null,
    telephone text not null
);
insert into patients
    select n, 'Patient ' || n, date '1930-01-01' + (n * 37) % 20000, '+1 555 01' || to_char(n % 100, 'FM00')
    from generate_series(1, 569) as n;

grant select on biopsies, patients to writ_admin with grant option;
