--- MariaDB's catalog: MySQL's, with what it says otherwise. See lualchemy.catalog.
return require "lualchemy.dialects.mysql_catalog".mariadb
