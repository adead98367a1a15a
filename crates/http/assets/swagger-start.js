SwaggerUIBundle({
  url: "/backend/api/schema/?format=json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
