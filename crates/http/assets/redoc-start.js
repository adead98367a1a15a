Redoc.init("/backend/api/schema/?format=json", {}, document.getElementById("redoc"));
