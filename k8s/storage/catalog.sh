# Run once by the postgres image, when the data folder is empty: creates the catalog's own database
# and user, and the tables of Iceberg's JDBC catalog, schema V1. Spark and PyIceberg would create the
# tables themselves, but Trino starts first and expects them.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv user CATALOG_USER
\getenv password CATALOG_PASSWORD
create role :"user" login password :'password';
create database catalog owner :"user";
\connect catalog
set role :"user";
create table iceberg_tables (
    catalog_name varchar(255) not null,
    table_namespace varchar(255) not null,
    table_name varchar(255) not null,
    metadata_location varchar(1000),
    previous_metadata_location varchar(1000),
    iceberg_type varchar(5),
    primary key (catalog_name, table_namespace, table_name)
);
create table iceberg_namespace_properties (
    catalog_name varchar(255) not null,
    namespace varchar(255) not null,
    property_key varchar(255) not null,
    property_value varchar(1000),
    primary key (catalog_name, namespace, property_key)
);
SQL
