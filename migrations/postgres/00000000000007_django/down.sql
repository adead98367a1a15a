-- drops django_leads, django_subscribers, django_clients, django_staff
DROP TABLE django_leads;
DROP TABLE django_subscribers;
DROP TABLE django_clients;
DROP TABLE django_staff;
